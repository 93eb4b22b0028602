"""A second implementation of the scores: one account after the other, plain Python, from the plain YAML.

It shares nothing with the package, is as slow as it looks, and follows the specification sentence by sentence.
`Account.margin` is how close any comparison came to its edge: nearer than rounding, the two may differ.
"""

import math
from itertools import pairwise

NOTHING = (None, 0.0)


def line(curve, x):
    if x is None:
        return None
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return curve[-1][1]


class Account:
    def __init__(self, card, row, *, pillars=(), window_days=90, failed=(), waived=False):
        self.card, self.row, self.pillars = card, row, pillars
        self.window_days, self.failed, self.waived = window_days, failed, waived
        self.margin = math.inf
        self.dimensions, self.bound, self.leaves = {}, {"low": {}, "high": {}}, []
        self.overlay = {}
        for segment in card.get("segments", []):
            wanted = segment["when"]["segment"]
            if row.get("segment") in ([wanted] if isinstance(wanted, str) else wanted):
                self.overlay = segment["anchors"]
                break

    def value(self, name):
        x = self.row.get(name)
        return None if x is None or not math.isfinite(x) else float(x)

    def near(self, left, right):
        self.margin = min(self.margin, abs(left - right))

    # --- leaves

    def scaled(self, name):
        x = self.value(name)
        counted = name in ("total_conversations", "reopened_bugs")
        return x * 90 / self.window_days if x is not None and counted else x

    def own_points(self, name, rule):
        x = self.scaled(name)
        if x is not None and "per" in rule:
            whole = self.value(rule["per"])
            x = 100 * x / whole if whole is not None and whole > 0 else None
        for other, least in rule.get("enough", {}).items():
            count = self.value(other)
            if count is None or count < least:
                x = None
        return line(self.overlay.get(name, rule["anchors"]), x)

    def leaf(self, name, rule):
        own = points = self.own_points(name, rule)
        heights = [y for _, y in self.overlay.get(name, rule["anchors"])]
        if "else" in rule:
            other = rule["else"]["metric"]
            curve = self.overlay.get(other, rule["else"]["anchors"])
            heights += [y for _, y in curve]
            if own is None:
                points = line(curve, self.scaled(other))
        low, high = (min(heights), max(heights)) if own is None else (own, own)
        return {
            "name": name,
            "w": rule["weight"],
            "s": points,
            "c": float(points is not None),
            "low": low,
            "high": high,
        }

    # --- groups

    def node(self, children):
        weight = sum(child["w"] for child in children)
        scored = [child for child in children if child["s"] is not None]
        known = sum(child["w"] for child in scored)
        return {
            "s": sum(child["w"] * child["s"] for child in scored) / known if scored else None,
            "c": sum(child["w"] * child["c"] for child in children) / weight,
            "low": sum(child["w"] * child["low"] for child in children) / weight,
            "high": sum(child["w"] * child["high"] for child in children) / weight,
            "children": children,
        }

    def dimension(self, name, group):
        rules = group.get("metrics")
        if rules is None:
            pillars = group["pillars"]
            rules = {f"pillar_{p}": {"weight": 1, "anchors": pillars["anchors"]} for p in self.pillars}
            if not rules:
                heights = [y for _, y in pillars["anchors"]]
                made = {"s": None, "c": 0.0, "low": min(heights), "high": max(heights), "children": []}
                return self.kept(name, made)
        made = self.node([self.leaf(metric, rule) for metric, rule in rules.items()])
        least = self.card.get("coverage", {}).get("dimension_min", 0)
        self.near(made["c"], least)
        if made["c"] < least:
            made["s"] = None
        return self.kept(name, made)

    def kept(self, name, made):
        self.dimensions[name] = made["s"]
        self.bound["low"][name], self.bound["high"][name] = made["low"], made["high"]
        return made

    def groups(self, groups):
        children = []
        for name, group in groups.items():
            made = self.groups(group["groups"]) if "groups" in group else self.dimension(name, group)
            children.append({**made, "name": name, "w": group["weight"]})
        return self.node(children)

    def effects(self, node, weight):
        """Each leaf with its effective weight: its share among those that have a score, times the shares above."""
        known = sum(child["w"] for child in node["children"] if child["s"] is not None)
        for child in node["children"]:
            counts = weight * child["w"] / known if child["s"] is not None and node["s"] is not None else 0.0
            if "children" in child:
                self.effects(child, counts)
            else:
                self.leaves.append((child["name"], counts, child["s"]))

    # --- caps

    def compare(self, operator, x, edge):
        if x is None:
            return False
        self.near(x, edge)
        return {"gte": x >= edge, "gt": x > edge, "lte": x <= edge, "lt": x < edge, "eq": x == edge}[operator]

    def condition(self, name, operator, edge, view):
        if name == "any_dimension":
            return sum(self.condition(each, operator, edge, view) for each in self.dimensions) > 0
        if name in self.dimensions:
            if view == "known":
                return self.compare(operator, self.dimensions[name], edge)
            low = self.compare(operator, self.bound["low"][name], edge)
            high = self.compare(operator, self.bound["high"][name], edge)
            return low or high if view == "low" else low and high
        x = self.value(name)
        if x is None:
            return view == "low"
        return {"gte": x >= edge, "gt": x > edge, "lte": x <= edge, "lt": x < edge, "eq": x == edge}[operator]

    def caps(self, view):
        held = []
        for cap in self.card.get("caps", []):
            parts = [(name, op, edge) for name, ops in cap["when"].items() for op, edge in ops.items()]
            if sum(self.condition(*part, view) for part in parts) == len(parts):
                held.append((cap["cap"], cap["reason"]))
        tiers = self.tiers()
        if self.failed:
            for better, tier in pairwise(tiers):
                if self.row.get("last_tier") == tier["name"]:
                    held.append((max(0, better["min"] - 0.1), f"source_failed: {', '.join(self.failed)}"))
        return sorted(held, key=lambda one: one[0])

    def tiers(self):
        return sorted(self.card["tiers"], key=lambda tier: -tier["min"])

    # --- the whole

    def lacking(self, root):
        rules, count = self.card.get("coverage", {}), 0
        self.near(root["c"], rules.get("tier_min", 0))
        count += root["c"] < rules.get("tier_min", 0) or root["s"] is None
        if rules.get("tier_needs_any_of"):
            count += all(self.dimensions[name] is None for name in rules["tier_needs_any_of"])
        count += sum(s is not None for s in self.dimensions.values()) < rules.get("tier_min_dimensions", 0)
        for name in rules.get("tier_needs_readable", []):
            reason = self.row.get(f"{name}_reason")
            if self.value(name) is None:
                signal = name.endswith("_signals")
                excused = reason in ("not_linked", "no_evidence", "too_few", "too_new")
                waived = self.waived and signal and reason in (None, "not_configured")
                count += not (excused or waived)
        if self.failed:
            count += self.row.get("last_tier") not in [tier["name"] for tier in self.tiers()]
        return count

    def risk_z(self, before):
        rules = self.card["churn_risk"]
        z = rules["intercept"] + rules["slope"] * (50 - before)
        then = self.value("health_before_caps_3m")
        z += line(rules["trend"], before - then) if then is not None else 0
        days = self.value("days_to_renewal")
        z += line(rules["renewal"], days) if days is not None else 0
        for name, term in rules["signals"].items():
            n = self.value(name)
            if n is not None and n >= 1:
                z += min(term["max"], term["first"] + term["more"] * (n - 1))
        return z

    def risk(self, before, lowest):
        risk = 100 / (1 + math.exp(-self.risk_z(before)))
        floors = [
            f["risk"] for f in self.card["churn_risk"]["floors"] if lowest is not None and lowest < f["cap_below"]
        ]
        return max([risk, *floors])

    def result(self):
        root = self.groups(self.card["groups"])
        self.effects(root, 1.0)
        held, possible, certain = (self.caps(view) for view in ("known", "low", "high"))
        lowest = held[0][0] if held else None
        out = {
            "coverage": 100 * root["c"],
            "lower_bound": min([root["low"], *(cap for cap, _ in possible)]),
            "upper_bound": min([root["high"], *(cap for cap, _ in certain)]),
            "cap_reason": "; ".join(reason for _, reason in held) or None,
            "health_score": None,
            "health_before_caps": None,
            "churn_risk_score": None,
            "risk_z": None,
            "tier": "Not Rated",
        }
        out |= {f"{name}_score": s for name, s in self.dimensions.items()}
        if not self.lacking(root):
            health = root["s"] if lowest is None else min(root["s"], lowest)
            for tier in self.tiers():
                self.near(root["s"], tier["min"])
            out["health_score"], out["health_before_caps"] = health, root["s"]
            out["tier"] = next(tier["name"] for tier in self.tiers() if health >= tier["min"])
            out["churn_risk_score"] = self.risk(root["s"], lowest)
            out["risk_z"] = self.risk_z(root["s"])
        elif (self.value("critical_signals") or 0) >= 1:
            floors = self.card["churn_risk"]["floors"]
            out["tier"] = self.tiers()[-1]["name"]
            out["churn_risk_score"] = max([f["risk"] for f in floors], default=50)
        for name, weight, s in self.leaves:
            out[f"{name}_points"] = s
            out[f"{name}_contribution"] = weight * s if s is not None else 0.0
            out[f"{name}_lost"] = weight * (100 - s) if s is not None else 0.0
        return out

    def drivers(self, result):
        """The costs of the three leaves that cost most; which of several equal ones is named first is not settled."""
        costs = sorted((result[f"{name}_lost"] for name, _, _ in self.leaves), reverse=True)
        return [cost for cost in costs[:3] if cost > 0]
