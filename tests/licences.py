"""Refuses dependencies under a licence that deny.toml does not allow. The stand-in where cargo-deny is missing."""

import json
import re
import subprocess
import sys


def allowed(path="deny.toml"):
    text = open(path, encoding="utf-8").read()
    lists = re.search(r"^allow = \[(.*?)^\]", text, re.S | re.M).group(1)
    return set(re.findall(r'^\s*"([^"]+)"', lists, re.M))


def permits(expression, names):
    """Whether an SPDX expression leaves a choice within names. AND binds stronger than OR; `/` is an old OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        result = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result = conjunction() or result
        return result

    def conjunction():
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result = one() and result
        return result

    def one():
        name = tokens.pop(0)
        if name == "(":
            result = alternatives()
            tokens.pop(0)
            return result
        while tokens and tokens[0] == "WITH":
            name += " WITH " + tokens[1]
            del tokens[:2]
        return name in names

    return alternatives()


def main():
    names = allowed()
    assert permits("GPL-3.0 OR MIT", {"MIT"}) and not permits("GPL-3.0 AND MIT", {"MIT"}), "the reader of expressions"
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    refused = [p for p in packages if not p["license"] or not permits(p["license"], names)]
    for p in refused:
        print(f"{p['name']} {p['version']}: licence {p['license']} is not in deny.toml")
    print(f"licences: {len(packages)} packages, {len(refused)} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
