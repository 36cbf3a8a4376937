"""What the stories of all Python clients share: the records that they tell of, the account of those that were read, and how a step is told."""

import time

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
LOT = 100  # records of one lot
WAIT_S = 60  # for anything that has to become true


def say(step, outcome):
    print(f"{step}: {outcome}", flush=True)


def lot(name, count=LOT):
    """Records (value, key, headers) of a lot; key and header follow from the value."""
    return [(f"{name}/{i}".encode(), f"key-{i % 10}".encode(), [("number", str(i).encode())]) for i in range(count)]


def times(count=10):
    """Timestamps of records, a second apart, and a time between the fifth and the sixth of them."""
    first = int(time.time() * 1000) - 60000
    return [first + 1000 * i for i in range(count)], first + 4500


class Account:
    """Which records of some lots have been read, and whether they are what was written."""

    def __init__(self, *lots):
        self.expected = {value: (key, headers) for each in lots for value, key, headers in each}
        self.count = {value: 0 for value in self.expected}
        self.wrong = 0

    def saw(self, value, key, headers):
        if self.expected.get(value) == (key, [(name, bytes(content)) for name, content in headers or []]):
            self.count[value] += 1
        else:
            self.wrong += 1

    def seen(self):
        return sum(self.count.values())

    def is_complete(self):
        return all(self.count.values())

    def __str__(self):
        lost = sum(1 for n in self.count.values() if n == 0)
        doubled = sum(n - 1 for n in self.count.values() if n > 1)
        if lost == doubled == self.wrong == 0:
            return "each record once"
        return f"{lost} lost, {doubled} doubled, {self.wrong} wrong"


def until(is_true, step=lambda: time.sleep(0.02)):
    """Repeats step until is_true() or WAIT_S have passed; what is_true() said last."""
    end = time.monotonic() + WAIT_S
    while not (result := is_true()):
        if time.monotonic() > end:
            break
        step()
    return result
