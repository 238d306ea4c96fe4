"""The recipes of the docs, followed to the letter: the tracker is packed, installed and built into sites."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TRACKER = ROOT / "snippet"
_DOCS = ROOT / "docs" / "tracker.md"
_SITES = Path(__file__).parent / "apps" / "recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the docs say what, and the file of a small site that it belongs into."""

    heading: str
    file: str
    entry: str = ""

    def code(self, endpoint: str = "/e/web1") -> str:
        """Return the code block below the heading, as the docs have it but for the endpoint."""
        block = rf"^{re.escape(self.heading)}.*?^```\w+\n(.*?)^```"
        found = re.search(block, _docs(), re.DOTALL | re.MULTILINE)
        assert found, self.heading
        return re.sub(r"(?:https://collect\.example\.com)?/e/web1", endpoint, found[1])


PLAIN = Recipe("The code blocks of this section", "plain/main.ts", "plain/main.ts")
NEXT = Recipe("**Next.js**", "next/recipe.tsx")
FRAMEWORKS = {
    "React": Recipe("**React**", "react/recipe.tsx", "react/main.jsx"),
    "Vue": Recipe("**Vue**", "vue/main.ts", "vue/main.ts"),
    "Svelte": Recipe("**Svelte**", "svelte/+layout.svelte", "svelte/main.js"),
}


def install(folder: Path) -> None:
    """Pack the tracker, install the file, and write every recipe into its site, beside its framework."""
    shutil.copytree(_SITES, folder, dirs_exist_ok=True)
    _run("npm", "pack", "--pack-destination", folder, cwd=_TRACKER)
    _run("npm", "install", "--offline", "--no-audit", "--no-fund", packed_file(), cwd=folder)
    for package in (_TRACKER / "node_modules").iterdir():
        if not package.name.startswith("."):
            (folder / "node_modules" / package.name).symlink_to(package)
    for recipe in (PLAIN, NEXT, *FRAMEWORKS.values()):
        write(folder, recipe)


def write(folder: Path, recipe: Recipe, endpoint: str = "/e/web1") -> None:
    """Put the code into the site's file."""
    file = folder / recipe.file
    file.parent.mkdir(exist_ok=True)
    file.write_text(recipe.code(endpoint), encoding="utf-8")


def packed_file() -> str:
    """Return the name of the file that npm packs, which the docs must name."""
    package = json.loads((_TRACKER / "package.json").read_text(encoding="utf-8"))
    name = f"headwater-tracker-{package['version']}.tgz"
    assert name in _docs()
    return name


def bundle(folder: Path, entry: str, platform: str = "browser") -> Path:
    """Build a site for browsers, or for a server's node."""
    made = (folder / entry).with_name(f"made-{platform}.mjs")
    _run("node", "build.mjs", entry, made, platform, cwd=folder)
    return made


def render(folder: Path, name: str) -> str:
    """Return what a server's node prints that renders the site."""
    [entry] = (folder / name.lower()).glob("server.*")
    return _run("node", bundle(folder, str(entry.relative_to(folder)), "node"), cwd=folder)


def check_types(folder: Path) -> None:
    """Compile the recipes in TypeScript as strictly as can be."""
    options = ["--noEmit", "--strict", "--allowJs", "--jsx", "react-jsx", "--module", "esnext", "--types", ""]
    options += ["--moduleResolution", "bundler", "--target", "es2022", "--skipLibCheck"]
    files = ["env.d.ts", PLAIN.file, NEXT.file, FRAMEWORKS["React"].file, FRAMEWORKS["Vue"].file]
    _run(_TRACKER / "node_modules" / ".bin" / "tsc", *options, *files, cwd=folder)


def _docs() -> str:
    return _DOCS.read_text(encoding="utf-8")


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout
