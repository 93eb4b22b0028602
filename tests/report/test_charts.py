"""The charts' library is packaged: what the tool makes, with the licences of what it is made of."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src" / "accountpulse" / "report" / "charts"


def test_the_packaged_library_is_what_vl_convert_makes() -> None:
    done = subprocess.run(
        [sys.executable, "tools/charts.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_versions_that_the_licences_name_are_those_of_the_library() -> None:
    import vl_convert

    vega, lite, embed = (
        ".".join(version.split(".")[:2])
        for version in (
            vl_convert.get_vega_version(),
            vl_convert.get_vegalite_versions()[-1],
            vl_convert.get_vega_embed_version(),
        )
    )
    text = re.sub(r"\s+", " ", (FOLDER / "LICENSES.txt").read_text(encoding="utf-8"))
    assert f"Vega {vega} " in text
    assert f"Vega-Lite {lite}, Vega-Embed {embed}," in text


def test_the_page_is_written_without_loading_what_makes_the_library() -> None:
    code = "import sys; from accountpulse.report import page; page._chart_library(); print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
