"""The Python that the checks run by: a virtual environment outside the tree, its packages pinned."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "benches"))
import measure  # noqa: E402


def enter() -> None:
    """Runs the program again by the Python of an environment that has `requirements.txt`, unless
    it is run by that already: whatever else a machine has installed is not what was pinned."""
    folder = measure.cache_folder() / "interop"
    python = folder / "bin" / "python"
    wanted = (HERE / "requirements.txt").read_text()
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip(folder, "--requirement", HERE / "requirements.txt")
        stamp.write_text(wanted)
    if pathlib.Path(sys.prefix) != folder:
        sys.exit(subprocess.run([python, *sys.argv]).returncode)


def pip(folder: pathlib.Path, *what: object) -> None:
    """Installs packages from PyPI into the environment in `folder`."""
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *what]
    subprocess.run([str(part) for part in command], check=True)
