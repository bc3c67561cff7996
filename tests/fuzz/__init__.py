"""Damaged input for every reader: `make fuzz` for an hour, `test_fuzz.py` for a minute.

    damage.py    what is done to a file: bits, bytes, numbers, words, values of JSON, what a path is
    readers.py   one entry per reader: valid input, and the call that reads it
    trials.py    a child process tries damaged input until it dies, hangs or its time is over
    __main__.py  the command

A reader may return or raise a HeadstartError. Anything else is a fault: another exception, a crash, more than
20 seconds, more than a gigabyte, a wrong value, code that ran.
"""
