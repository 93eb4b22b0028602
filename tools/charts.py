"""Write the charts' JavaScript that every report carries: src/accountpulse/report/charts/vega.js.

usage: charts.py [--check]     with --check: exit 1 where the file is not what would be written

It is what vl-convert makes of the Vega, Vega-Lite and Vega-Embed in its wheel (of the version in requirements-dev.txt).
That takes seconds of CPU and a package of 88 MB, so it is done here, and not by whoever reads a report.
"""

import sys
from pathlib import Path

import vl_convert

TARGET = Path(__file__).parent.parent / "src" / "accountpulse" / "report" / "charts" / "vega.js"
WANTED = "window.vegaEmbed = vegaEmbed;"


def main() -> int:
    """Write, or check; 1 where the file is another."""
    text = vl_convert.javascript_bundle(WANTED).replace("\r\n", "\n")
    if "--check" in sys.argv:
        if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET} is not what vl-convert {vl_convert.__version__} makes: run tools/charts.py")
        return 1
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
