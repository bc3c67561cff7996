"""The line that is printed after an epoch."""

from __future__ import annotations

import pytest

from headstart.tune.loop.progress import say_row


def test_a_long_epoch_is_said_in_a_line_and_a_short_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"train_loss": 0.41234, "validation_loss": 0.4, "validation_accuracy": 0.9125, "lr": 1e-3}
    say_row({"epoch": 2, **row, "seconds": 12.4}, 5)
    told = capsys.readouterr().err
    assert told == "epoch 2 of 5: training loss 0.412, validation loss 0.400, accuracy 91.2%, 12 s\n"
    say_row({"epoch": 3, **row, "seconds": 0.4}, 5)
    say_row({"epoch": 0, "train_loss": None, "validation_loss": 0.7, "lr": 0.0, "seconds": 9.0}, 5)
    assert capsys.readouterr().err == ""
    say_row({"epoch": 1, "train_loss": 0.5, "validation_loss": None, "lr": 1e-3, "seconds": 30.0}, 1)
    assert capsys.readouterr().err == "epoch 1 of 1: training loss 0.500, 30 s\n"
