"""Examples of each command, for `--help` and for docs/cli.md; tests hold them to the options."""

from collections.abc import Mapping

Examples = tuple[tuple[str, str], ...]
"""A command line, and what it does."""

EXAMPLES: Mapping[str, Examples] = {
    "compile": (
        ("snncc model.onnx --calib calib.npz -o bundle/", "32 time steps, for the C simulator"),
        (
            "snncc model.onnx --calib calib.npz --neuron signed-if --steps 8 -o bundle/",
            "fewer steps",
        ),
        (
            "snncc images.onnx --calib images.npz --scale 1/255 --layout nhwc -o bundle/",
            "uint8 images, channels last",
        ),
        (
            "snncc model.onnx --target ttfs28 --calib calib.npz -o bundle/",
            "an image for an accelerator with one spike a neuron",
        ),
        (
            "snncc model.onnx --calib calib.npz --accuracy 0.5 -o bundle/",
            "the cheapest settings that lose half a point at most",
        ),
    ),
    "run": (
        ("snncc run bundle/ --data test.npz", "predictions"),
        ("snncc run bundle/ --data test.npz --limit 10 -o results.npz", "outputs and spikes"),
    ),
    "verify": (
        (
            "snncc verify bundle/ --model model.onnx --data test.npz",
            "accuracy, agreement with onnxruntime",
        ),
        (
            "snncc verify bundle/ --model model.onnx --data test.npz --exact 50 --json",
            "every spike of 50 samples, for machines",
        ),
    ),
    "explain": (
        (
            "snncc explain bundle/ --model model.onnx --data test.npz --calib calib.npz",
            "which step, which layer, and what helps",
        ),
        (
            "snncc explain model.onnx --data test.npz --calib calib.npz --steps 4 -v",
            "a model compiled for the occasion, every layer",
        ),
    ),
    "inspect": (
        ("snncc inspect model.onnx", "what fits which target"),
        ("snncc inspect model.onnx --nodes", "what each node of the file becomes"),
        ("snncc inspect model.onnx --target loihi --chip loihi1", "one chip, in detail"),
    ),
    "diff": (
        ("snncc diff golden/ bundle/", "exit code 1 when anything differs"),
        ("snncc diff a/ b/ --data test.npz --model model.onnx", "accuracy too, measured now"),
        ("snncc diff golden/ bundle/ --ignore note,file --json", "for a script"),
    ),
    "targets": (
        ("snncc targets", "all of them"),
        ("snncc targets ttfs28", "one: its options, rules and passes"),
    ),
    "sweep": (
        (
            "snncc sweep model.onnx --calib calib.npz --steps 4,8,16,32 -o sweep/",
            "accuracy over steps, as table and picture",
        ),
        (
            "snncc sweep model.onnx --calib calib.npz --target c,ttfs28 -o sweep/",
            "two targets",
        ),
    ),
    "disasm": (
        ("snncc disasm bundle/", "the bundle's image, on the screen"),
        ("snncc disasm bundle/ttfs28/image.bin -o image.txt", "an image, into a file"),
    ),
    "asm": (("snncc asm image.txt -o image.bin", "the image of an edited text"),),
    "export": (
        ("snncc export bundle/ --to sanafe -o sanafe/", "a core map for the simulator SANA-FE"),
    ),
    "opt": (
        ("snncc opt --list", "the passes and their options"),
        ("snncc opt in.sir --passes fold-batchnorm,fuse", "the result on the screen"),
        ("snncc opt in.sir --passes fuse -v -o out.sir", "and what each pass did to the values"),
    ),
    "new-backend": (("snncc new-backend mychip", "a package that compiles and passes the tests"),),
    "completion": (
        ("snncc completion bash > ~/.local/share/bash-completion/completions/snncc", "bash"),
        ("snncc completion zsh > ~/.zfunc/_snncc", "zsh, with ~/.zfunc in $fpath"),
        ("snncc completion fish > ~/.config/fish/completions/snncc.fish", "fish"),
    ),
    "report": (
        ("snncc report bundle/", "the page, from what the bundle knows of itself"),
        (
            "snncc report bundle/ --model model.onnx --data test.npz -o report/",
            "with what is measured now",
        ),
    ),
}


def epilog(command: str) -> str:
    """The examples as the end of a help text; empty without any."""
    lines = [f"  {line}\n      {what}" for line, what in EXAMPLES.get(command, ())]
    if not lines:
        return ""
    return "\b\nExample:\n" + lines[0] if len(lines) == 1 else "\b\nExamples:\n" + "\n".join(lines)
