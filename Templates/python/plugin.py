"""@NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.

`make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known. An action NAME of
ACTIONS is the function NAME below: it gets the payload and the call, and what it returns is the result, as JSON.
A ValueError refuses the payload, its text is the reason. The call has progress(value, message), is_canceled() and
log(message).
"""

import time

ACTIONS = [
    {
        "name": "hello",
        "title": "Hello",
        "description": "Greets somebody.",
        "input_schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"name": {"type": "string", "maxLength": 200}},
        },
        "output_schema": {
            "type": "object",
            "required": ["greeting"],
            "properties": {"greeting": {"type": "string"}},
        },
    },
    {
        "name": "count",
        "title": "Count",
        "description": "Counts, and shows how far it is.",
        "input_schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "to": {"type": "integer", "minimum": 1, "maximum": 1000},
                "milliseconds": {"type": "integer", "minimum": 0, "maximum": 10000},
            },
        },
        "output_schema": {"type": "object", "required": ["counted"], "properties": {"counted": {"type": "integer"}}},
    },
]


def hello(payload, call):
    name = payload.get("name", "world")
    if not isinstance(name, str):
        raise ValueError('"name" is no text')
    return {"greeting": f"Hello, {name}!"}


def count(payload, call):
    limit, milliseconds = payload.get("to", 3), payload.get("milliseconds", 100)
    if not (isinstance(limit, int) and 1 <= limit <= 1000):
        raise ValueError('"to" is a whole number from 1 to 1000')
    if not (isinstance(milliseconds, int) and 0 <= milliseconds <= 10000):
        raise ValueError('"milliseconds" is a whole number from 0 to 10000')
    for number in range(1, limit + 1):
        for passed in range(milliseconds + 1):
            if call.is_canceled():
                return None
            if passed < milliseconds:
                time.sleep(0.001)
        call.progress(number / limit, "counting")
    return {"counted": limit}
