"""The message catalogues that people edit, and what the source asks of them.

English is the language of the source; ``zh`` must translate every message. ``./box`` compiles the
catalogues; ``python -m tests.catalogues`` takes new messages from the source into them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

_ROOT = Path(__file__).parents[1]
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


@dataclass(frozen=True)
class Catalogues:
    """The catalogues of one package with pages."""

    package: Path

    def files(self) -> Iterator[Path]:
        """Yield the catalogues that people edit."""
        yield from sorted(self.package.glob("translations/*/LC_MESSAGES/messages.po"))

    def asked(self) -> Catalog:
        """Return every message that the source asks for."""
        catalog = Catalog(project="classbox", charset="utf-8")
        for name, line, message, comments, context in extract_from_dir(
            self.package,
            _METHODS,
            options_map={"templates/**.html": {"trimmed": "true", "silent": "false"}},
            directory_filter=lambda folder: Path(folder).name != "__pycache__",
        ):
            catalog.add(message, None, [(name, line)], auto_comments=comments, context=context)
        return catalog

    def update(self) -> None:
        """Take new messages in, keep translations, drop what is no longer asked for."""
        for file in self.files():
            catalog = read(file)
            catalog.update(self.asked(), no_fuzzy_matching=True)
            catalog.obsolete.clear()
            out = BytesIO()
            write_po(out, catalog, width=100, no_location=True, sort_output=True)
            file.write_bytes(out.getvalue())


KIOSK = Catalogues(_ROOT / "kiosk_ui")
CONSOLE = Catalogues(_ROOT / "sync" / "central" / "console")


def read(file: Path) -> Catalog:
    """Return the catalogue in *file*, whose folder names its language."""
    with file.open("rb") as source:
        return read_po(source, locale=file.parts[-3])


if __name__ == "__main__":
    for catalogues in (KIOSK, CONSOLE):
        catalogues.update()
