"""The plans of optimizers.py, and a batch norm in training, by PyTorch's own optimizers, schedulers and clipping (float64).

usage: pytorch_optimizers.py NETC FOLDER
"""
import re

import numpy as np
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, StepLR

from optimizers import epochs, folder, perEpoch, read, runs, start, steps, t, trained, write, x

# A rate: PyTorch's scheduler, and whether an epoch or a step moves it on.
SCHEDULES = {
    "inverse_time_decay": (lambda o: LambdaLR(o, lambda k: 1 / (1 + 0.5 * k)), "step"),
    "exponential_decay": (lambda o: ExponentialLR(o, 0.6), "epoch"),
    "step_decay": (lambda o: StepLR(o, 2, 0.3), "epoch"),
    "cosine_decay": (lambda o: CosineAnnealingLR(o, steps, 0.001), "step"),
    "warm_up": (lambda o: LinearLR(o, 1 / 8, total_iters=7), "step"),
}
RULES = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1, self.dense2 = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.dense2(torch.tanh(self.dense1(x)))


def optimizerOf(plan, parameters):
    """PyTorch's optimizer for what stands behind `train`, and the values to clip by."""
    arguments = {name: float(value) for name, value in re.findall(r"(\w+) = ([\d.]+(?:e-\d+)?)", plan) if name not in ("every", "rate", "end")}
    arguments |= {name: True for name in ("nesterov", "centered") if f"{name} = true" in plan}
    if rate := re.search(r"_(?:decay|up)\(([\d.]+)", plan):
        arguments["lr"] = float(rate[1])
    clip = {name: arguments.pop(name, None) for name in ("clip_value", "clip_norm")}
    if "beta1" in arguments:
        arguments["betas"] = arguments.pop("beta1"), arguments.pop("beta2")
    return RULES[plan.split("(")[0]](parameters, **arguments), clip


def reference(plan):
    net = Net().double()
    net.load_state_dict({name: torch.tensor(w) for name, w in start.items()})
    optimizer, clip = optimizerOf(plan, net.parameters())
    scheduler, period = next(((make(optimizer), period) for name, (make, period) in SCHEDULES.items() if name in plan), (None, None))
    for k in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(torch.tensor(x)), torch.tensor(t)).backward()
        if clip["clip_value"]:
            clip_grad_value_(net.parameters(), clip["clip_value"])
        if clip["clip_norm"]:
            clip_grad_norm_(net.parameters(), clip["clip_norm"])
        optimizer.step()
        if period == "step" or period == "epoch" and k % perEpoch == perEpoch - 1:
            scheduler.step()
    return {name: w.detach().numpy() for name, w in net.state_dict().items()}


def worstOf(found, expected):
    return max(np.abs(found[name] / expected[name] - 1).max() for name in expected)


if __name__ == "__main__":
    write(f"{folder}/start.safetensors", start)
    plans = [plan for plan in runs if "warm_up(cosine" not in plan]  # PyTorch's two do not nest so
    worst = 0
    for plan in plans:
        error = worstOf(trained(plan), reference(plan))
        assert error < 1e-5, (plan, error)
        worst = max(worst, error)
    print(f"{len(plans)} plans are PyTorch's, worst relative error {worst:.2g}")
