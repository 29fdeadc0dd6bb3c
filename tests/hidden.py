"""Which numbers of a first release are hidden, and why: the rules as survey-forms/src/disclosure/mod.rs declares them,
written again for tests/scores.py, sharing no code with the service. Floating point, as these rules only judge widths."""

from math import ceil, floor, gcd

PROTECTION = 20.0
EPSILON = 1e-7
# Where so many sums or combinations are possible, the whole numbers of people tell nothing.
FINE, TRIED = 2000, 1500
PROTECTED = "n_below_k"


class Cell:
    def __init__(self, group, n, weight, mean, step):
        self.group, self.n, self.weight, self.step = group, n, float(weight), float(step)
        self.mean = 0.0 if mean is None else float(mean)
        self.hidden = None

    @property
    def range(self):
        return (self.mean, self.mean) if self.hidden is None else (0.0, 100.0)


class Item:
    def __init__(self, max_points, cells):
        self.max_points, self.cells, self.hidden = float(max_points), cells, None

    @property
    def answered(self):
        return [cell for cell in self.cells if cell.n > 0]

    @property
    def weights(self):
        return sum(cell.weight for cell in self.answered)

    @property
    def score(self):
        return sum(cell.weight * cell.mean for cell in self.answered) / self.weights

    @property
    def range(self):
        if self.hidden is None:
            return self.score, self.score
        low, high = add([times(cell.range, cell.weight) for cell in self.answered])
        return low / self.weights, high / self.weights

    @property
    def points(self):
        return times(self.range, self.max_points)

    @property
    def n(self):
        return sum(cell.n for cell in self.cells)


class Field:
    def __init__(self, items):
        self.items, self.hidden = items, None

    @property
    def answered(self):
        return [item for item in self.items if item.answered]

    @property
    def value(self):
        return sum(item.max_points * item.score for item in self.answered)

    @property
    def range(self):
        return (self.value, self.value) if self.hidden is None else add([item.points for item in self.answered])


class Target:
    def __init__(self, fields):
        self.fields, self.hidden = fields, None

    def widths(self, place):
        """Of what each protected item of a field may be, and of their mean where there are several."""
        field = self.fields[place]
        own = field.range
        if self.hidden is None and field.hidden is not None:
            total = sum(other.value for other in self.fields)
            low, high = add([other.range for at, other in enumerate(self.fields) if at != place])
            own = meet(own, (total - high, total - low))
        everything = add([item.points for item in field.answered])

        def left(mine):
            low, high = everything[0] - mine[0], everything[1] - mine[1]
            return own[0] - high, own[1] - low

        small = [item for item in field.answered if item.hidden == PROTECTED]
        widths = []
        for item in small:
            if item.max_points <= 0:
                widths.append(width(item.range))
            else:
                widths.append(width(meet(times(left(item.points), 1 / item.max_points), item.range)))
        if len(small) > 1:
            points, mine = sum(item.max_points for item in small), add([item.points for item in small])
            widths.append(width(meet(left(mine), mine)) / points if points > 0 else 100.0)
        return widths


def times(span, factor):
    return span[0] * factor, span[1] * factor


def add(spans):
    return sum(span[0] for span in spans), sum(span[1] for span in spans)


def meet(one, other):
    return max(one[0], other[0]), min(one[1], other[1])


def width(span):
    return max(span[1] - span[0], 0.0)


def suppress(target, k, decimals):
    """Hides what must be hidden, in place."""
    rule_one(target, k)
    for field in target.fields:
        for item in field.items:
            settle_row(item, k, decimals)
    for place, field in enumerate(target.fields):
        if field.hidden is None and any(item.hidden == PROTECTED for item in field.items):
            if len(field.answered) == 1:
                field.hidden = PROTECTED
            else:
                settle(target, within(field), [place])
    small = [place for place, field in enumerate(target.fields) if field.hidden == PROTECTED]
    if target.hidden is None and small:
        if sum(1 for field in target.fields if field.answered) == 1:
            target.hidden = PROTECTED
        else:
            settle(target, everywhere(target), small)


def rule_one(target, k):
    def reason(cells):
        answered = [cell for cell in cells if cell.n > 0]
        if not answered:
            return "no_valid_answers"
        alone = len({cell.group for cell in answered}) == 1
        return PROTECTED if alone and max(cell.n for cell in answered) < k else None

    for field in target.fields:
        for item in field.items:
            for cell in item.cells:
                cell.hidden = reason([cell])
            item.hidden = reason(item.cells)
        field.hidden = reason([cell for item in field.items for cell in item.cells])
    target.hidden = reason([cell for field in target.fields for item in field.items for cell in item.cells])


def settle_row(item, k, decimals):
    small = [cell for cell in item.cells if cell.hidden == PROTECTED]
    if item.hidden is not None or not small:
        return
    shown = [cell for cell in item.cells if cell.hidden is None]
    for cell in shown:
        cell.hidden = "complementary"
    best = [possible(item, cell, decimals) for cell in small]
    for cell in shown:
        cell.hidden = None
    if any(smooth >= PROTECTION and whole <= EPSILON for smooth, whole in best):
        item.hidden = PROTECTED
        return

    def safe():
        hidden = [cell.n for cell in item.cells if cell.n > 0 and cell.hidden is not None]
        if len(hidden) < 2 or sum(hidden) < k:
            return False
        has = [possible(item, cell, decimals) for cell in small]
        return all(a + EPSILON >= min(b, PROTECTION) for one, other in zip(has, best) for a, b in zip(one, other))

    # The smallest first; of equals the last one of the row.
    for cell in sorted(reversed(shown), key=lambda cell: cell.n):
        if safe():
            return
        cell.hidden = "complementary"


def possible(item, cell, decimals):
    """How wide a hidden mean's possible values lie apart: any numbers, and means of whole people."""
    left = item.weights * item.score - sum(c.weight * c.mean for c in item.answered if c.hidden is None)
    others = [other for other in item.answered if other.hidden is not None and other is not cell]
    low = max((left - sum(other.weight * 100 for other in others)) / cell.weight, 0.0)
    high = min(left / cell.weight, 100.0)
    smooth = max(high - low, 0.0)
    finer = 100 / item.max_points if item.max_points > 100 else 1.0
    slack = 0.5 * 0.1**decimals * finer * item.weights + EPSILON
    units = lattices(others, slack)
    if units is None or cell.step <= 0 or steps(cell) > FINE:
        return smooth, smooth
    around = slack / cell.weight

    def fitting(totals):
        values = (total * cell.step / cell.n for total in totals)
        inside = (value for value in values if low - around <= value <= high + around)
        return next((value for value in inside if fits(units, left - cell.weight * value, slack)), None)

    totals = range(steps(cell) + 1)
    lowest, highest = fitting(totals), fitting(reversed(totals))
    return smooth, 0.0 if lowest is None else highest - lowest


def steps(cell):
    return floor(cell.n * 100 / cell.step + 0.5)


def lattices(cells, slack):
    """What a step of each cell's sum adds, and how many there are; none where they add up to about any amount."""
    if any(cell.step <= 0 for cell in cells):
        return None
    multiple, tried = 1, 1
    for cell in cells:
        multiple = multiple // gcd(multiple, cell.n) * cell.n
    if cells and min(cell.weight * cell.step for cell in cells) / multiple <= 2 * slack:
        return None
    units = sorted(((cell.weight * cell.step / cell.n, steps(cell)) for cell in cells), key=lambda unit: unit[1])
    for _, many in units[:-1]:
        tried *= many + 1
    return units if tried <= TRIED else None


def fits(units, amount, slack):
    if not units:
        return abs(amount) <= slack
    unit, many = units[0]
    if len(units) == 1:
        nearest = min(max(floor(amount / unit + 0.5), 0), many)
        return abs(amount - nearest * unit) <= slack
    most = sum(unit * many for unit, many in units[1:])
    first, last = max(ceil((amount - most - slack) / unit), 0), min(floor((amount + slack) / unit), many)
    return amount >= -slack and any(fits(units[1:], amount - unit * n, slack) for n in range(first, last + 1))


def within(field):
    """What may be hidden in a field, in the order of what it costs: where something is hidden already, then by n."""
    def cost(at):
        item = field.items[at]
        return not any(cell.n > 0 and cell.hidden is not None for cell in item.cells), item.n, at

    moves = []
    for at in sorted(range(len(field.items)), key=cost):
        cells = field.items[at].cells
        moves.append(field.items[at])
        moves.extend(cells[place] for place in sorted(range(len(cells)), key=lambda place: (cells[place].n, place)))
    return moves


def everywhere(target):
    def cost(place):
        field = target.fields[place]
        small = any(cell.hidden == PROTECTED for item in field.items for cell in item.cells)
        return not small, sum(item.n for item in field.items), place

    moves = []
    for place in sorted(range(len(target.fields)), key=cost):
        moves.append(target.fields[place])
        moves.extend(within(target.fields[place]))
    return moves


def settle(target, moves, places):
    """Hides one after the other until the protected items of these fields are as safe as they can be made."""
    def widths():
        return [one for place in places for one in target.widths(place)]

    shown = [move for move in moves if move.hidden is None]
    for move in shown:
        move.hidden = "complementary"
    needed = [min(best, PROTECTION) for best in widths()]
    for move in shown:
        move.hidden = None
    for move in shown:
        if all(has + EPSILON >= need for has, need in zip(widths(), needed)):
            return
        move.hidden = "complementary"
