"""Write what is generated; with ``--check`` say only what is not as it would be written."""

import argparse
import sys

from refdocs import artifacts, pages, pictures, targets
from refdocs.schemas import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, text in [*pages.written(), *targets.written(), *artifacts.written(), *pictures.written()]:
        file = ROOT / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"{'not current' if check else 'written'}: {name}\n" for name in stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
