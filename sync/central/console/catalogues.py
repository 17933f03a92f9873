"""The message catalogues: from ``messages.po``, which people edit, to ``messages.mo``.

English is the language of the source; ``zh`` must translate every message.
``python -m sync.central.console.catalogues`` compiles; with ``--update`` it first takes new
messages from the source.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
FOLDER = HERE / "translations"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


def files() -> Iterator[Path]:
    """Yield the catalogues that people edit."""
    yield from sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))


def read(file: Path) -> Catalog:
    """Return the catalogue in *file*, whose folder names its language."""
    with file.open("rb") as source:
        return read_po(source, locale=file.parts[-3])


def template() -> Catalog:
    """Return every message that the source asks for."""
    catalog = Catalog(project="classbox", charset="utf-8")
    for name, line, message, comments, context in extract_from_dir(
        HERE,
        _METHODS,
        options_map={"templates/**.html": {"trimmed": "true", "silent": "false"}},
        directory_filter=lambda folder: Path(folder).name != "__pycache__",
    ):
        catalog.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return catalog


def update(file: Path) -> None:
    """Take new messages into *file*, keep its translations, drop what is no longer asked for."""
    catalog = read(file)
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    out = BytesIO()
    write_po(out, catalog, width=100, no_location=True, omit_header=False, sort_output=True)
    file.write_bytes(out.getvalue())


def compile_file(file: Path) -> None:
    """Write the binary form beside *file* when it is missing or older."""
    target = file.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= file.stat().st_mtime_ns:
        return
    out = BytesIO()
    write_mo(out, read(file))
    target.write_bytes(out.getvalue())


def main(arguments: list[str]) -> None:
    """Compile all catalogues; with ``--update``, after taking in new messages."""
    for file in files():
        if "--update" in arguments:
            update(file)
        compile_file(file)


if __name__ == "__main__":
    main(sys.argv[1:])
