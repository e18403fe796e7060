"""Random JSON Schemas and documents, with what jsonschema for Python says of them."""

from __future__ import annotations

import random
from typing import Any

import jsonschema

NAMES = ["a", "b", "ab", "x-1", "é"]
TEXTS = ["", "a", "ab", "abc", "é", "éa", "x-1", "💩"]
PATTERNS = ["^a", "b$", "^[a-c]*$", "a|é", "^.{2}$", "^x-\\d$"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


class Maker:
    """Schemas whose references go forward only, or deeper into the document: none of them is endless."""

    DEFINITIONS = 4

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        pick = self.random.randrange(8 if depth < 3 else 5)
        if pick == 0:
            return self.random.choice([None, True, False])
        if pick in (1, 2):
            return self.random.choice([0, 1, 2, 3, -1, 1.5, 2.0, 0.5, 100, 2**70, -(2**70)])
        if pick in (3, 4):
            return self.random.choice(TEXTS)
        if pick == 5:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {name: self.value(depth + 1) for name in self.random.sample(NAMES, self.random.randrange(4))}

    def schema(self, depth: int, first: int) -> Any:
        """`first`: the first definition that may be referred to in place."""
        roll = self.random.random()
        if roll < 0.04:
            return True
        if roll < 0.07:
            return False
        made: dict[str, Any] = {}
        for _ in range(self.random.randrange(1, 4)):
            self._add(made, depth, first)
        return made

    def _add(self, made: dict[str, Any], depth: int, first: int) -> None:
        chance = self.random
        leaf = ["type", "enum", "const", "number", "text", "array", "object", "pattern"]
        inner = ["items", "contains", "members", "names", "unevaluated", "unevaluated"]
        place = ["all", "any", "one", "not", "if", "dependent", "reference"]
        match chance.choice(leaf + (inner + place if depth < 4 else [])):
            case "type":
                made["type"] = chance.sample(TYPES, chance.randrange(1, 4))
            case "enum":
                made["enum"] = self._unique([self.value(1) for _ in range(4)])
            case "const":
                made["const"] = self.value(1)
            case "number":
                keyword = chance.choice(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])
                made[keyword] = chance.choice([1, 2, 0.5, 3])
            case "text":
                made[chance.choice(["minLength", "maxLength"])] = chance.randrange(4)
            case "pattern":
                made["pattern"] = chance.choice(PATTERNS)
            case "array":
                made[chance.choice(["minItems", "maxItems"])] = chance.randrange(4)
                made["uniqueItems"] = chance.random() < 0.5
            case "object":
                made[chance.choice(["minProperties", "maxProperties"])] = chance.randrange(4)
                made["required"] = chance.sample(NAMES, chance.randrange(2))
                made["dependentRequired"] = {chance.choice(NAMES): chance.sample(NAMES, 1)}
            case "items":
                if chance.random() < 0.5:
                    made["items"] = self.below(depth)
                if chance.random() < 0.6:
                    made["prefixItems"] = [self.below(depth) for _ in range(chance.randrange(1, 3))]
            case "contains":
                made["contains"] = self.below(depth)
                if chance.random() < 0.5:
                    made["minContains"] = chance.randrange(3)
                if chance.random() < 0.5:
                    made["maxContains"] = chance.randrange(3)
            case "members":
                made["properties"] = {name: self.below(depth) for name in chance.sample(NAMES, 2)}
                if chance.random() < 0.4:
                    made["patternProperties"] = {chance.choice(PATTERNS): self.below(depth)}
                if chance.random() < 0.4:
                    made["additionalProperties"] = self.below(depth)
            case "names":
                made["propertyNames"] = self.below(depth)
            case "unevaluated":
                made[chance.choice(["unevaluatedProperties", "unevaluatedItems"])] = self.below(depth)
            case "all" | "any" | "one" as kind:
                made[kind + "Of"] = [self.schema(depth + 1, first) for _ in range(chance.randrange(1, 4))]
            case "not":
                made["not"] = self.schema(depth + 1, first)
            case "if":
                for keyword in ["if", "then", "else"]:
                    if chance.random() < 0.8:
                        made[keyword] = self.schema(depth + 1, first)
            case "dependent":
                made["dependentSchemas"] = {chance.choice(NAMES): self.schema(depth + 1, first)}
            case "reference":
                if first < self.DEFINITIONS:
                    made["$ref"] = f"#/$defs/d{chance.randrange(first, self.DEFINITIONS)}"

    def below(self, depth: int) -> Any:
        """For a value inside the one at hand, where any definition will do: the document ends some time."""
        return self.schema(depth + 1, 0)

    @staticmethod
    def _unique(values: list[Any]) -> list[Any]:
        kept: list[Any] = []
        for value in values:
            if not any(repr(value) == repr(other) for other in kept):
                kept.append(value)
        return kept

    def root(self) -> Any:
        definitions = {f"d{n}": self.schema(1, n + 1) for n in range(self.DEFINITIONS)}
        made = self.schema(0, 0)
        return {"$defs": definitions, **made} if isinstance(made, dict) else made


def random_suite(seed: int, count: int) -> list[dict[str, Any]]:
    """`count` groups of ten cases, in the suite's layout."""
    maker = Maker(seed)
    groups = []
    for number in range(count):
        schema = maker.root()
        judge = jsonschema.Draft202012Validator(schema)
        tests = []
        for index in range(10):
            data = maker.value()
            tests.append({"description": f"{index}", "data": data, "valid": judge.is_valid(data)})
        groups.append({"description": f"{seed}/{number}", "schema": schema, "tests": tests})
    return groups
