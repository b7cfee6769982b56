"""The part of JSON Schema that program/server/web/openapi.json uses. An unknown keyword is an error, so that no rule is
skipped."""
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check(value, schema, root, where="$"):
    """Raise AssertionError with the path of the value that does not match the schema."""
    for key, want in schema.items():
        if key == "$ref":
            target = root
            for part in want.removeprefix("#/").split("/"):
                target = target[part]
            check(value, target, root, where)
        elif key == "type":
            names = want if isinstance(want, list) else [want]
            assert any(is_type(value, name) for name in names), "%s: %r is not of type %s" % (where, value, want)
        elif key == "properties":
            for name, inner in want.items():
                if name in value:
                    check(value[name], inner, root, "%s.%s" % (where, name))
        elif key == "required":
            missing = [name for name in want if name not in value]
            assert not missing, "%s: %s is missing" % (where, missing)
        elif key == "additionalProperties":
            extra = set(value) - set(schema.get("properties", {}))
            assert want or not extra, "%s: %s is not described" % (where, extra)
        elif key == "items":
            for i, item in enumerate(value):
                check(item, want, root, "%s[%d]" % (where, i))
        elif key == "oneOf":
            fits = 0
            for inner in want:
                try:
                    check(value, inner, root, where)
                    fits += 1
                except (AssertionError, TypeError):
                    pass
            assert fits == 1, "%s: %r fits %d of the alternatives" % (where, value, fits)
        else:
            rules = {
                "const": lambda: value == want, "enum": lambda: value in want,
                "minimum": lambda: value >= want, "maximum": lambda: value <= want,
                "exclusiveMinimum": lambda: value > want, "pattern": lambda: re.search(want, value),
                "minItems": lambda: len(value) >= want, "maxItems": lambda: len(value) <= want,
                "minLength": lambda: len(value) >= want, "description": lambda: True,
            }
            assert key in rules, "%s: the keyword %s is not supported" % (where, key)
            assert rules[key](), "%s: %r breaks %s %r" % (where, value, key, want)
