"""A Sphinx extension: figures of any content, and a box of its own for the picture of each.

The box scrolls on a phone, and the caption below it does not. Where ``_static/narrow`` has a file
of the figure's name, a phone shows that one.
"""

import html
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Drawn(SphinxDirective):
    """``{drawn} name``: a figure of its content, whose last paragraph is the caption.

    For what ``{glue}`` brings from another page. Images have ``{figure}``, and what a notebook
    draws on its own page has its caption in the cell's metadata.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        *picture, last = self.parse_content_to_nodes()
        if not picture or not isinstance(last, nodes.paragraph):
            raise self.error("{drawn} has a picture, and below it a paragraph: its caption")
        figure = nodes.figure("", *picture, nodes.caption(last.rawsource, "", *last.children))
        figure["names"].append(nodes.fully_normalize_name(self.arguments[0]))
        self.set_source_info(figure)
        self.state.document.note_explicit_target(figure, figure)
        return [figure]


def box_pictures(doctree: nodes.document, static: Path, address: str) -> None:
    """Put the image of each figure into a container of class ``dcl-picture``.

    Parameters
    ----------
    doctree : document
    static : path
        The folder ``_static`` of the sources.
    address : str
        Of that folder, seen from the page.
    """
    for figure in doctree.findall(nodes.figure):
        narrow = [name for name in figure["names"] if (static / "narrow" / f"{name}.svg").is_file()]
        for image in [child for child in figure if isinstance(child, nodes.image)]:
            box = nodes.container("", image.deepcopy(), classes=["dcl-picture"])
            for name in narrow:
                words = html.escape(image.get("alt", ""))
                picture = (
                    f'<img class="dcl-narrow" src="{address}/narrow/{name}.svg" alt="{words}" '
                    'loading="lazy">'
                )
                box["classes"].append("dcl-has-narrow")
                box.append(nodes.raw("", picture, format="html"))
            figure.replace(image, box)


def _resolved(app, doctree: nodes.document, page: str) -> None:
    box_pictures(doctree, Path(app.confdir, "book", "_static"), "../" * page.count("/") + "_static")


def setup(app) -> dict[str, bool]:
    app.add_directive("drawn", Drawn)
    app.connect("doctree-resolved", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
