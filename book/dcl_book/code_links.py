"""A Sphinx extension: of the names in code, only this project's lead to the reference.

sphinx_codeautolink imports whatever a page's code imports, and of the trainers of others everything
that they load on demand. No page here describes any of it.
"""

OURS = ("dcl", "dcl_book")


def _keep_ours(app, env) -> None:
    pages = env.sphinx_codeautolink_transforms
    for page, blocks in pages.items():
        for block in blocks:
            block.names = [name for name in block.names if name.import_components[0] in OURS]
        pages[page] = [block for block in blocks if block.names]


def setup(app) -> dict[str, bool]:
    app.connect("env-updated", _keep_ours, priority=490)  # sphinx_codeautolink's own is at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
