"""Recomputes a round's published scores from its files and the exported ballots, and compares every number.

    python3 tests/scores.py ROUND_FOLDER BALLOTS.csv SCORES.json [TURNOUT.csv]

Written from the round's declared rules alone (survey-forms/README.md), with exact fractions, sharing no code with the
service. Of a first release what is hidden is worked out too (hidden.py). Without TURNOUT.csv the codes given out are
taken from the scores. Prints what differs; exit code 1 if anything does.
"""

import csv
import json
import sys
import tomllib
from collections import Counter, defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import reduce
from math import gcd
from pathlib import Path

import hidden


# Standard normal quantile of 97.5 %.
Z = Decimal("1.959963984540054")


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


class Round:
    def __init__(self, folder):
        folder = Path(folder)
        self.rules = tomllib.loads((folder / "round.toml").read_text(encoding="utf-8"))
        self.decimals = self.rules["scoring"]["decimals"]
        self.adjusted = self.rules["scoring"].get("response_adjusted", False)
        # (group, targets that are rated together) -> codes given out
        self.issued = {}
        self.groups = self.rules["groups"]
        self.weight = {group["code"]: Fraction(group["weight"]) for group in self.groups}
        self.targets = table(folder / "targets.tsv")
        self.units = {unit["unit_code"]: unit for unit in table(folder / "units.tsv")}
        self.criteria = table(folder / "criteria.tsv")
        self.supervising = defaultdict(list)
        for row in table(folder / "mapping.tsv"):
            self.supervising[row["division"]].append(row["target_code"])
        # option -> percent, None where it is left out of the mean
        self.scales = defaultdict(dict)
        for row in table(folder / "scales.tsv"):
            self.scales[row["scale"]][row["option"]] = Fraction(row["percent"]) if row["percent"] else None
        # group -> item -> scale
        self.items = {}
        for path in sorted((folder / "questionnaires").glob("*.toml")):
            form = tomllib.loads(path.read_text(encoding="utf-8"))
            items = (item for section in form["sections"] for item in section["items"])
            self.items[form["respondent_code"]] = {item["code"]: item["scale"] for item in items}
        self.rated = {group["code"]: self.rated_by(group) for group in self.groups}

    def weights(self, group, answered):
        """What an answer of each stratum counts for in the group's mean, from how many answered in each."""
        size = {}
        for stratum, n in answered.items():
            size[stratum] = max(self.issued.get((group, stratum), n), n) if self.adjusted else n
        return {stratum: Fraction(size[stratum], n * sum(size.values())) for stratum, n in answered.items()}

    def rated_by(self, group):
        """The targets that a group rates, by the reading its `rates` names."""
        rates = group["rates"]
        if isinstance(rates, dict):
            kinds = rates.get("kinds") or rates["one_per_ballot"]
            return {t["target_code"] for t in self.targets if t["target_kind"] in kinds}
        sources = [unit for unit in self.units.values() if unit["unit_kind"] in group["sources"]]
        if rates == "own_unit":
            return {unit["target_code"] for unit in sources}
        if rates == "parent":
            return {self.units[unit["parent_code"]]["target_code"] for unit in sources}
        assert rates == "mapped", rates
        return {target for unit in sources for target in self.supervising[unit["division"]]}


def read_ballots(path):
    """id -> (group, targets, {(target, item): answer})"""
    ballots = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            entry = ballots.setdefault(row["ballot_id"], (row["respondent_code"], row["targets"].split("+"), {}))
            if row["item_code"]:
                entry[2][row["target"], row["item_code"]] = row["answer"]
    return ballots


def is_void(survey, channel, group, targets, answers):
    """Rule 7: a paper ballot with less than the declared share of its items valid does not count."""
    if channel != "paper":
        return False
    scoring = survey.rules["scoring"]
    valid = 0
    for (_, item), answer in answers.items():
        scale = survey.scales[survey.items[group][item]]
        valid += answer in scale and (scale[answer] is not None or scoring["excluded_is_valid"])
    return valid < Fraction(scoring["void_below"]) * len(targets) * len(survey.items[group])


def fixed(value, decimals):
    """Half up, exactly `decimals` digits."""
    if value is None:
        return None
    units = (value * 10**decimals * 2 + 1) // 2
    return f"{units // 10**decimals}.{units % 10**decimals:0{decimals}d}"


def recompute(survey, ballots, unranked):
    channels = {group["code"]: group["channel"] for group in survey.groups}
    values, valid, void = defaultdict(list), Counter(), Counter()
    survey.counting, survey.uniform = [], Counter()
    for group, targets, answers in ballots.values():
        if is_void(survey, channels[group], group, targets, answers):
            void[group] += 1
            continue
        valid[group] += 1
        survey.counting.append((group, targets, answers))
        options = [a for (_, item), a in answers.items() if a in survey.scales.get(survey.items[group][item], ())]
        survey.uniform[group] += len(options) >= 3 and len(set(options)) == 1
        for (target, item), answer in answers.items():
            percent = survey.scales[survey.items[group][item]].get(answer)
            if percent is not None:
                values[group, target, item].append((percent, "+".join(targets)))
    results = [score(survey, target, values) for target in survey.targets]
    for result in results:
        # A hidden total has no rank, and the others are ranked without it.
        if result["target"] in unranked:
            result["exact"] = None
    for result in results:
        rivals = [r["exact"] for r in results if r["kind"] == result["kind"] and r["exact"] is not None]
        own = result["exact"]
        result["rank"] = None if own is None else 1 + sum(rival > own for rival in rivals)
    return results, valid, void


def cell_of(survey, group, answers):
    """A group's mean over its valid answers, how far they spread, and how many of equal weight they are worth."""
    by_stratum = Counter(stratum for _, stratum in answers)
    weights = survey.weights(group, by_stratum)
    cell = {"respondent_code": group, "n": len(answers), "mean": None, "squares": None, "weights": weights}
    if answers:
        cell["mean"] = mean = sum(weights[stratum] * percent for percent, stratum in answers)
        cell["squares"] = sum((weights[stratum] * (percent - mean)) ** 2 for percent, stratum in answers)
    squared = sum(weights[stratum] ** 2 * n for stratum, n in by_stratum.items())
    cell["effective"] = int(1 / squared) if squared else 0
    return cell


def score(survey, target, values):
    items = []
    for criterion in survey.criteria:
        code, cells = criterion["item_code"], []
        for group in survey.groups:
            name = group["code"]
            if target["target_code"] in survey.rated[name] and code in survey.items[name]:
                cells.append(cell_of(survey, name, values.get((name, target["target_code"], code), [])))
        if not cells:
            continue
        answered = [(survey.weight[c["respondent_code"]], c["mean"]) for c in cells if c["mean"] is not None]
        weights = sum(weight for weight, _ in answered)
        percent = sum(weight * mean for weight, mean in answered) / weights if weights else None
        maximum = Fraction(criterion["max_points"])
        items.append(
            {
                "item_code": code,
                "field": criterion["field"],
                "n": sum(cell["n"] for cell in cells),
                "max_points": maximum,
                "percent": percent,
                "points": None if percent is None else percent * maximum / 100,
                "groups": cells,
                "small": is_small(survey, answered_by([{"groups": cells}])),
            }
        )
    fields = []
    for field in survey.rules["fields"]:
        own = [item for item in items if item["field"] == field["code"]]
        if own:
            points, maximum, percent = total(own)
            small = is_small(survey, answered_by(own))
            fields.append(
                {"field": field["code"], "points": points, "max_points": maximum, "percent": percent, "small": small}
            )
    points, maximum, percent = total(items)
    return {
        "target": target["target_code"],
        "kind": target["target_kind"],
        "survey_points": points,
        "max_points": maximum,
        "percent": percent,
        "exact": percent,
        "small": is_small(survey, answered_by(items)),
        "fields": fields,
        "items": items,
    }


def is_small(survey, cells):
    """Rests on one group alone, and on fewer than k of its answers: then it is that group's cell."""
    answered = [(group, n) for group, n in cells if n > 0]
    alone = len({group for group, _ in answered}) == 1
    return alone and max(n for _, n in answered) < survey.rules["disclosure"]["k"]


def answered_by(items):
    return [(cell["respondent_code"], cell["effective"]) for item in items for cell in item["groups"]]


def hide(survey, ours):
    """Works out what is hidden, and why, as for a first release."""
    places = {group["code"]: at for at, group in enumerate(survey.groups)}

    def cell(item, own):
        group = own["respondent_code"]
        percents = [p for p in survey.scales[survey.items[group][item["item_code"]]].values() if p is not None]
        step = reduce(lambda a, b: Fraction(gcd(a.numerator * b.denominator, b.numerator * a.denominator),
                                            a.denominator * b.denominator), percents, Fraction(0))
        step = 0 if len(set(own["weights"].values())) > 1 else step
        return hidden.Cell(places[group], own["effective"], survey.weight[group], own["mean"], step)

    def judged(item):
        return hidden.Item(item["max_points"], [cell(item, own) for own in item["groups"]])

    fields = [[item for item in ours["items"] if item["field"] == field["field"]] for field in ours["fields"]]
    table = hidden.Target([hidden.Field([judged(item) for item in items]) for items in fields])
    hidden.suppress(table, survey.rules["disclosure"]["k"], survey.decimals)
    ours["suppressed"] = table.hidden
    for field, own, items in zip(ours["fields"], table.fields, fields):
        field["suppressed"] = own.hidden
        for item, of_item in zip(items, own.items):
            item["suppressed"] = of_item.hidden
            for one, other in zip(item["groups"], of_item.cells):
                one["suppressed"] = other.hidden


def total(items):
    answered = [item for item in items if item["points"] is not None]
    if not answered:
        return None, Fraction(0), None
    points, maximum = sum(i["points"] for i in answered), sum(i["max_points"] for i in answered)
    return points, maximum, points / maximum * 100 if maximum else None


def square_root(value):
    """Of a fraction, to forty digits."""
    with localcontext() as context:
        context.prec = 50
        return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()


def around(percent, variance, decimals):
    """95 % interval, within 0 to 100."""
    with localcontext() as context:
        context.prec = 50
        half = Fraction(Z * square_root(variance))
    low, high = max(percent - half, Fraction(0)), min(percent + half, Fraction(100))
    return {"low": fixed(low, decimals), "high": fixed(high, decimals)}


def correction(n, issued):
    """For a population of known size."""
    return Fraction(issued - n, issued - 1) if issued >= n and issued >= 2 else Fraction(1)


def cell_interval(survey, cell, issued):
    n = cell["n"]
    variance = cell["squares"] * n / (n - 1)
    return around(cell["mean"], variance * correction(n, issued), survey.decimals)


def spread(survey, ours, theirs):
    """(variance, design effect) of a target's total: ballots taken whole, groups as strata; a group with a cell that is
    not shown, or too small for a distribution, varies like the most varied of the others."""
    target, weights = ours["target"], survey.weight
    parts = defaultdict(dict)
    answered = [item for item in ours["items"] if item["n"] > 0]
    points = sum(item["max_points"] for item in answered)
    if not points:
        return None, None
    for item in answered:
        cells = [cell for cell in item["groups"] if cell["n"] > 0]
        total_weight = sum(weights[cell["respondent_code"]] for cell in cells)
        for cell in cells:
            group = cell["respondent_code"]
            part = item["max_points"] * weights[group] / (points * total_weight)
            parts[group][item["item_code"]] = (part, cell["mean"], cell["n"], cell["weights"])
    closed, issued = set(), {}
    for own, item in zip(ours["items"], theirs["items"]):
        for mine, cell in zip(own["groups"], item["groups"]):
            if cell["n"] > 0:
                issued[cell["respondent_code"]] = cell["issued"]
                if cell["mean"] is None or not is_told(survey, mine["effective"]):
                    closed.add(cell["respondent_code"])
    groups, own = {}, {}
    for group, items in parts.items():
        share, n = sum(part[0] for part in items.values()), max(part[2] for part in items.values())
        if not share:
            continue
        groups[group] = (share, n)
        if group in closed or n < 2:
            continue
        squares, worth = Fraction(0), {}
        for targets, answers in survey.about[group, target]:
            deviation = Fraction(0)
            for item, (part, mean, _, weight) in items.items():
                value = survey.scales[survey.items[group][item]].get(answers.get((target, item)))
                if value is not None:
                    key = item, value, targets
                    if key not in worth:
                        worth[key] = part / share * (value - mean) * n * weight[targets]
                    deviation += worth[key]
            squares += deviation**2
        own[group] = squares / (n - 1)
    effect = sum(n for _, n in groups.values()) * sum(share**2 / n for share, n in groups.values())
    if theirs["suppressed"] is not None or not own:
        return None, effect
    most = max(own.values())
    variance = sum(s**2 * own.get(g, most) / n * correction(n, issued[g]) for g, (s, n) in groups.items())
    return variance, effect


def is_told(survey, n):
    """Enough for a distribution and an interval."""
    return n >= max(survey.rules["disclosure"]["distribution_n"], survey.rules["disclosure"]["k"])


def differ(one, other):
    """By more than chance in 95 of 100 cases; None where one of the two has no variance."""
    if one["variance"] is None or other["variance"] is None:
        return None
    with localcontext() as context:
        context.prec = 50
        return abs(one["exact"] - other["exact"]) > Fraction(Z * square_root(one["variance"] + other["variance"]))


def place(own, ranked):
    """The ranks that chance leaves possible, and whether the next lower total differs."""
    best = 1 + sum(r["exact"] > own["exact"] and differ(own, r) is True for r in ranked)
    worst = len(ranked) - sum(r["exact"] < own["exact"] and differ(own, r) is True for r in ranked)
    below = [r for r in ranked if r["exact"] < own["exact"]]
    if not below:
        return {"best": best, "worst": worst}, None
    ties = [differ(own, r) for r in below if r["exact"] == max(b["exact"] for b in below)]
    unsure = [tie for tie in ties if tie is not True]
    return {"best": best, "worst": worst}, unsure[0] if unsure else True


class Comparison:
    def __init__(self, decimals):
        self.decimals, self.compared, self.differing = decimals, 0, []

    def same(self, place, ours, theirs):
        if isinstance(ours, Fraction):
            ours = fixed(ours, self.decimals)
        self.compared += 1
        if ours != theirs:
            self.differing.append(f"{place}: recomputed {ours!r}, published {theirs!r}")

    def record(self, place, ours, theirs, names):
        for name in names:
            self.same(f"{place} {name}", ours[name], theirs[name])

    def scores(self, place, ours, theirs, names):
        """Shown scores are exact; a small one is never shown; a hidden one says why, and says nothing else."""
        hidden = theirs["suppressed"] is not None
        self.same(f"{place} suppressed", hidden or ours["small"] or ours[names[0]] is None, hidden)
        for name in names:
            self.same(f"{place} {name}", None if hidden else ours[name], theirs[name])

    def rows(self, place, ours, theirs, key, names):
        self.same(f"{place} {key}s", [row[key] for row in ours], [row[key] for row in theirs])
        for one, other in zip(ours, theirs):
            self.record(f"{place} {one[key]}", one, other, names)


def beside(survey, results, published, check):
    """Intervals, ranges of ranks, design effect, and how many were asked."""
    valid = Counter((group, target) for group, targets, _ in survey.counting for target in targets)
    survey.about = defaultdict(list)
    for group, targets, answers in survey.counting:
        for target in targets:
            survey.about[group, target].append(("+".join(targets), answers))
    for ours, theirs in zip(results, published["targets"]):
        at = ours["target"]
        ours["variance"], effect = spread(survey, ours, theirs)
        interval = ours["variance"] is not None and around(ours["percent"], ours["variance"], survey.decimals)
        check.same(f"{at} interval", interval or None, theirs["interval"])
        check.same(f"{at} design effect", effect, theirs["design_effect"])
        for item, shown in zip(ours["items"], theirs["items"]):
            asked = sum(valid[cell["respondent_code"], at] for cell in item["groups"])
            check.same(f"{at} {item['item_code']} asked", asked, shown["asked"])
            for cell, other in zip(item["groups"], shown["groups"]):
                told = other["mean"] is not None and is_told(survey, cell["effective"])
                interval = told and cell["n"] > 1 and cell_interval(survey, cell, other["issued"])
                where = f"{at} {item['item_code']} {cell['respondent_code']} interval"
                check.same(where, interval or None, other["interval"])
    for ours, theirs in zip(results, published["targets"]):
        ranked = [r for r in results if r["kind"] == ours["kind"] and r["exact"] is not None]
        ranks, differs = (None, None) if ours["exact"] is None else place(ours, ranked)
        check.same(f"{ours['target']} ranks", ranks, theirs["rank_range"])
        check.same(f"{ours['target']} differs from next", differs, theirs["differs_from_next"])


def read_turnout(survey, path, published, check):
    """Codes given out by stratum; each cell's numbers are those of the strata that rate its target."""
    about = defaultdict(lambda: [0, 0])
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            survey.issued[row["respondent_code"], row["targets"]] = int(row["issued"])
            for target in row["targets"].split("+"):
                both = about[row["respondent_code"], target]
                both[0], both[1] = both[0] + int(row["issued"]), both[1] + int(row["returned"])
    for target in published["targets"]:
        for item in target["items"]:
            for cell in item["groups"]:
                at = f"{target['target']} {item['item_code']} {cell['respondent_code']}"
                ours = about[cell["respondent_code"], target["target"]]
                check.same(f"{at} codes", ours, [cell["issued"], cell["returned"]])


def what_is_hidden(survey, results, published, check):
    for ours, theirs in zip(results, published["targets"]):
        hide(survey, ours)
        pairs = [(ours["target"], ours, theirs)]
        for one, other in zip(ours["fields"], theirs["fields"]):
            pairs.append((f"{ours['target']} field {one['field']}", one, other))
        for one, other in zip(ours["items"], theirs["items"]):
            at = f"{ours['target']} {one['item_code']}"
            pairs.append((at, one, other))
            pairs.extend((f"{at} {c['respondent_code']}", c, d) for c, d in zip(one["groups"], other["groups"]))
        for at, one, other in pairs:
            check.same(f"{at} hidden because", one["suppressed"], other["suppressed"])


def main(folder, ballots_path, scores_path, turnout_path=None):
    survey, ballots = Round(folder), read_ballots(ballots_path)
    published = json.loads(Path(scores_path).read_text(encoding="utf-8"))
    check = Comparison(survey.decimals)
    if turnout_path:
        read_turnout(survey, turnout_path, published, check)
    assert turnout_path or not survey.adjusted, "a round weighted by response needs TURNOUT.csv"
    unranked = {t["target"] for t in published["targets"] if t["suppressed"] is not None}
    results, valid, void = recompute(survey, ballots, unranked)
    k = survey.rules["disclosure"]["k"]
    check.rows("round", results, published["targets"], "target", ["kind", "max_points", "rank"])
    for ours, theirs in zip(results, published["targets"]):
        place = ours["target"]
        check.scores(place, ours, theirs, ["survey_points", "percent"])
        check.rows(place, ours["fields"], theirs["fields"], "field", ["max_points"])
        for field, other in zip(ours["fields"], theirs["fields"]):
            check.scores(f"{place} field {field['field']}", field, other, ["points", "percent"])
        check.rows(place, ours["items"], theirs["items"], "item_code", ["field", "max_points", "n"])
        for item, other in zip(ours["items"], theirs["items"]):
            check.scores(f"{place} {item['item_code']}", item, other, ["points", "percent"])
        for item, shown in zip(ours["items"], theirs["items"]):
            cells = f"{place} {item['item_code']}"
            check.rows(cells, item["groups"], shown["groups"], "respondent_code", ["n"])
            for cell, other in zip(item["groups"], shown["groups"]):
                # A small cell is never shown; a shown one is exact.
                hidden = other["suppressed"] is not None
                check.same(f"{cells} {cell['respondent_code']} mean", None if hidden else cell["mean"], other["mean"])
                check.same(f"{cells} {cell['respondent_code']} hidden", hidden or cell["effective"] < k, hidden)
    beside(survey, results, published, check)
    if published.get("release", 1) == 1:
        what_is_hidden(survey, results, published, check)
    for row in published["ballots"]:
        group = row["respondent_code"]
        check.same(f"ballots of {group}", valid[group], row["valid"])
        check.same(f"void ballots of {group}", void[group], sum(v["count"] for v in row["void"]))
        told = valid[group] >= max(k, survey.rules["disclosure"]["distribution_n"])
        told = told and survey.uniform[group] <= valid[group] // 2
        check.same(f"uniform ballots of {group}", survey.uniform[group] if told else None, row["uniform"])
    check.same("ballots", len(ballots), sum(valid.values()) + sum(void.values()))
    for line in check.differing:
        print(line)
    print(f"scores: {len(ballots)} ballots, {check.compared} numbers compared, {len(check.differing)} differ")
    return 1 if check.differing else 0


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
