"""CAT: the activation is the compiler's, its gradient the clipped ReLU's; the schedule resumes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'snncc[train]'")

from snncc.train import CatSchedule, QcfsActivation, TtfsActivation, calibrate_scales  # noqa: E402
from snncc_ir import NodeRunner, Spikes, f32  # noqa: E402
from snncc_ir.ops import Neuron, TtfsRelu  # noqa: E402

CODES = [(12, 2, 0.0), (24, 4, 0.5), (16, 8, 0.25), (5, 1, 0.0)]


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.7], ids=lambda s: f"scale {s}")
@pytest.mark.parametrize("code", CODES, ids=str)
def test_activation_is_that_of_the_compiler(code: tuple[int, int, float], scale: float) -> None:
    """To the bit, on random numbers, on every threshold, and on the float32 numbers beside it."""
    steps, tau, offset = code
    activation = TtfsActivation(steps, tau, offset, scale)
    relu = TtfsRelu(ceiling=f32(scale), slots=steps, tau=tau, offset=offset)
    table = relu.thresholds.astype(np.float32)
    np.testing.assert_array_equal(activation.thresholds.numpy(), table)
    random = np.random.default_rng(0)
    x = np.concatenate(
        [
            scale * np.exp2(random.uniform(-12, 2, 2000)) * random.choice([-1.0, 1.0], 2000),
            table, np.nextafter(table, np.float32(9)), np.nextafter(table, np.float32(0)),
            [0.0, 1e-30, 1e30],
        ]
    ).astype(np.float32)  # fmt: skip
    found = activation(torch.from_numpy(x)).numpy()
    first = [next((k for k in range(steps) if number >= table[k]), None) for number in x]
    by_hand = [0.0 if k is None else scale * 2 ** (-k / tau) for k in first]
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)
    exact = relu.evaluate(x.astype(np.float64))
    np.testing.assert_array_equal(found, exact.astype(np.float32))
    in_onnx = NodeRunner([Neuron(relu)], [Spikes((1,))]).run([x[:, None]])
    np.testing.assert_array_equal(found, in_onnx[:, 0])


def test_gradient_is_that_of_the_clipped_relu() -> None:
    for spiking in (False, True):
        activation = TtfsActivation(12, 2, scale=2.0, spiking=spiking)
        x = torch.tensor([-1.0, 1e-4, 0.5, 1.99, 2.5], requires_grad=True)
        activation(x).backward(torch.full((5,), 3.0))
        assert x.grad is not None
        assert x.grad.tolist() == [0, 3, 3, 3, 0]
    clipped = TtfsActivation(12, 2, scale=2.0, spiking=False)(torch.tensor([-1.0, 0.3, 5.0]))
    assert clipped.tolist() == pytest.approx([0.0, 0.3, 2.0])


def test_schedule_follows_the_epoch_alone() -> None:
    net = torch.nn.Sequential(*(TtfsActivation(spiking=False) for _ in range(3)))
    schedule = CatSchedule(start=2, each=3)
    seen = []
    for epoch in (0, 2, 5, 8, 1):
        schedule(epoch, net)
        seen.append([part.spiking for part in net])
    assert seen == [
        [False] * 3, [True, False, False], [True, True, False], [True] * 3, [False] * 3,
    ]  # fmt: skip
    other = torch.nn.Sequential(*(TtfsActivation() for _ in range(3)))
    other.load_state_dict(net.state_dict())
    assert not any(part.spiking for part in other)


def test_scales_come_from_samples_as_if_nothing_was_clipped() -> None:
    net = torch.nn.Sequential(
        TtfsActivation(scale=0.01), torch.nn.Flatten(), QcfsActivation(4, scale=0.01)
    )
    calibrate_scales(net, torch.arange(-50.0, 101.0).reshape(-1, 1), percentile=90)
    assert net[0].scale.item() == 128.0  # the nearest power of two, by its logarithm
    assert net[2].scale.item() == 91.0
    with pytest.raises(ValueError, match=r"percentile is 0, should be above 0"):
        calibrate_scales(net, torch.ones(1, 1), percentile=0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"steps": 1}, "steps is 1, should be 2 to 64"),
        ({"tau": 3}, "tau is 3, should be one of 1, 2, 4, 8"),
        ({"offset": 1.0}, "offset is 1.0, should be at least 0 and below 1"),
        ({"scale": 0.0}, "scale is 0.0, should be positive"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_what_no_code_has_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TtfsActivation(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="start is -1"):
        CatSchedule(-1)
