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


def test_the_licences_name_every_package_that_the_library_is_made_of() -> None:
    """vl-convert's own module holds where each of them came from."""
    import vl_convert

    module = next(Path(vl_convert.__file__).parent.glob("vl_convert.*.so")).read_bytes()
    packages = {name.decode() for name in re.findall(rb"Original file: /npm/([\w.-]+)@", module)}
    text = re.sub(r"\s+", " ", (FOLDER / "LICENSES.txt").read_text(encoding="utf-8"))
    assert {"vega", "vega-lite", "d3-array", "clone"} <= packages
    unnamed = {name for name in packages if not re.search(rf"(?<![\w-]){name}(?![\w-])", text, re.IGNORECASE)}
    assert {name for name in unnamed if not name.startswith("vega-")} == set()
    assert "with its vega-* packages" in text


def test_the_licences_name_what_stands_in_for_node() -> None:
    """Bundling puts it in, and no package names it: each is known by a text of its own."""
    library, text = ((FOLDER / name).read_text(encoding="utf-8") for name in ("vega.js", "LICENSES.txt"))
    assert "argument must be a Buffer instance" in library
    assert all(f"    {name}, in " in text for name in ("buffer", "base64-js", "ieee754", "process"))


def test_the_page_is_written_without_loading_what_makes_the_library() -> None:
    code = "import sys; from accountpulse.report import page; page._chart_library(); print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
