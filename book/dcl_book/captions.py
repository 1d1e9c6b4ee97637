"""A Sphinx extension: figures of any content, and a box of its own for the picture of each.

The box scrolls on a phone, and the caption below it does not.
"""

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


def box_pictures(doctree: nodes.document) -> None:
    """Put the image of each figure into a container of class ``dcl-picture``."""
    for figure in doctree.findall(nodes.figure):
        for image in [child for child in figure if isinstance(child, nodes.image)]:
            figure.replace(image, nodes.container("", image.deepcopy(), classes=["dcl-picture"]))


def _resolved(app, doctree: nodes.document, page: str) -> None:
    box_pictures(doctree)


def setup(app) -> dict[str, bool]:
    app.add_directive("drawn", Drawn)
    app.connect("doctree-resolved", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
