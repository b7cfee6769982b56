"""Time this program against PyTorch, ONNX Runtime and OpenVINO on the same network, in one run on this machine.

Embeds each view of a network (--network, a preset of the program), float32, in batches of 1 and of 16; --train also
times full training steps (forward and backward passes and the update). Ours and each peer's runs alternate, so that
other load on the machine slows both. The table shows the best time of each in milliseconds per picture and the ratio of
the peer's to ours. A peer's output is compared with PyTorch's before it is timed. A peer that is not installed is named
and skipped. Progress goes to standard error.

Values that depend only on weights (position biases, scales) are precomputed for the peers. Compiling with PyTorch takes
minutes; leave it out with --peers.

--device cuda times the same network on the GPU instead: embedding in batches of 256 and training on 128 pairs, ours in
bfloat16, PyTorch eager under autocast to bfloat16 and, compiled, by torch.compile. PyTorch's pictures are already on
the GPU as numbers; ours come from the host's memory as bytes.
"""
import argparse
import contextlib
import importlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))

# Presets of the program, and the module of tools/ with their network in PyTorch.
NETWORKS = {"paper": "network", "nano": "network", "sample4geo": "sample4geo", "sample4geo-vigor": "sample4geo",
            "sample4geo-tiny": "sample4geo", "sample4geo-nano": "sample4geo", "statewide": "statewide",
            "statewide-nano": "statewide"}
VIEWS = ("aerial", "street")
BATCHES = (1, 16)                            # the last in pictures; a place can have several
TOLERANCE = 1e-3                             # a larger relative difference means that a peer computes something else


START = time.monotonic()


def say(text):
    """Print the step that begins, and the time since the start."""
    print(f"{time.monotonic() - START:8.1f} s  {text}", file=sys.stderr, flush=True)


class Missing(Exception):
    """The reason why a peer cannot take part."""


def milliseconds(call, repeats):
    """The best of some runs; the caller has run it once already."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


class Networks:
    """A preset in PyTorch: both views, ready for inference, and one batch of pixels for each case."""

    def __init__(self, preset):
        import torch
        self.torch, self.module = torch, importlib.import_module(NETWORKS[preset])
        self.config = self.module.PRESETS[preset]
        torch.manual_seed(0)
        several = getattr(self.config, "pictures", lambda view: 1)
        self.pictures = {view: several(view) for view in VIEWS}
        self.batches = self.of_places(BATCHES)
        model = self.fresh()
        self.parameters = sum(p.numel() for p in model.parameters())
        self.views = {view: model.embedder(view) for view in VIEWS}
        self.pixels = {(view, batch): self.noise(view, batch) for view in VIEWS for batch in self.batches}

    def of_places(self, batches):
        """Batches of 1 and of `batch` pictures, counted in places."""
        return tuple(max(1, batch // max(self.pictures.values())) for batch in batches)

    def noise(self, view, batch, **where):
        return self.torch.randn(batch * self.pictures[view], 3, *getattr(self.config, view), **where)

    def fresh(self):
        """New weights without zeros: a fresh block may add nothing, which a compiler could exploit."""
        model = self.module.fresh(self.config)
        with self.torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.endswith("weight") and not parameter.any():
                    parameter.fill_(1.0)
        return model

    def training(self, batch, autocast=None, compiled=False, **where):
        """A function that makes one training step on `batch` pairs. autocast: (device, type) of the forward passes."""
        model = self.fresh().to(**where)
        adamw = self.module.optimizer(model)
        inputs = [self.noise(view, batch, **where) for view in model.PICTURES.values()]
        if autocast:
            model = Autocast(model, self.torch.compile(model, dynamic=False) if compiled else model,
                             lambda: self.torch.autocast(*autocast))
        return lambda: self.module.train_step(model, adamw, inputs)

    def export(self, folder, view, batch):
        """The network as an ONNX file with everything constant inside."""
        path = os.path.join(folder, f"{view}{batch}.onnx")
        if os.path.exists(path):
            return path
        try:
            import onnx                          # noqa: F401  (the exporter needs it)
        except ImportError as error:
            raise Missing("the package onnx is not installed") from error
        say(f"exporting {view}, batch {batch}")
        with quiet():
            self.torch.onnx.export(self.views[view], (self.pixels[view, batch],), path, dynamo=False, opset_version=17,
                                   do_constant_folding=True, input_names=["pixels"], output_names=["feature"])
        return path


class Autocast:
    """A model as used by train_step, each forward pass in a context."""

    def __init__(self, model, forward, context):
        self.model, self.forward, self.context = model, forward, context

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, *batch):
        with self.context():
            return self.forward(*batch)


@contextlib.contextmanager
def quiet():
    """Silence the messages of exporters and compilers."""
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                yield
        finally:
            logging.disable(logging.NOTSET)


# Each peer: (networks, folder, view, batch, threads) -> a function that embeds the batch and returns an array.


def pytorch_eager(networks, folder, view, batch, threads):
    torch, model, pixels = networks.torch, networks.views[view], networks.pixels[view, batch]

    def embed():
        with torch.inference_mode():
            return model(pixels).numpy()
    return embed


def pytorch_compiled(networks, folder, view, batch, threads):
    torch, pixels = networks.torch, networks.pixels[view, batch]
    torch._dynamo.reset()
    model = torch.compile(networks.views[view], dynamic=False)

    def embed():
        with torch.inference_mode():
            return model(pixels).numpy()
    try:
        with quiet():
            embed()
    except Exception as error:                   # a missing compiler or header: many types, one meaning
        raise Missing(f"torch.compile does not work here: {str(error).strip().splitlines()[0][:90]}") from error
    return embed


def onnx_runtime(networks, folder, view, batch, threads):
    try:
        import onnxruntime
    except ImportError as error:
        raise Missing("the package onnxruntime is not installed") from error
    path = networks.export(folder, view, batch)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    pixels = networks.pixels[view, batch].numpy()
    return lambda: session.run(None, {"pixels": pixels})[0]


def openvino(networks, folder, view, batch, threads):
    try:
        import openvino as ov
    except ImportError as error:
        raise Missing("the package openvino is not installed") from error
    core = ov.Core()
    hints = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(networks.export(folder, view, batch), "CPU", hints)
    pixels = networks.pixels[view, batch].numpy()
    return lambda: compiled(pixels)[0]


PEERS = {"PyTorch": pytorch_eager, "PyTorch compiled": pytorch_compiled,
         "ONNX Runtime": onnx_runtime, "OpenVINO": openvino}


def run_ours(options, pairs=None):
    """The report of our program's benchmark, with training steps if `pairs` is given; or None and the reason."""
    program = options.program
    command = [program, "bench", "--json", "--quiet", "--preset", options.network, "--threads", str(options.threads),
               "--rounds", "3"]
    command += ["--batch", str(pairs)] if pairs else ["--no-train"]
    say(f"ours: {' '.join(command)}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout), None
    except FileNotFoundError:
        return None, f"{program} does not exist; build it first or give --program"
    except PermissionError:
        return None, f"{program} cannot be run"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        return None, f"{' '.join(command)} failed: {lines[-1] if lines else f'exit status {error.returncode}'}"
    except json.JSONDecodeError:
        return None, f"{' '.join(command)} printed no JSON"


def our_times(report):
    """Milliseconds per picture, or per pair, by case, as far as the report has them."""
    times = {}
    for view in VIEWS:
        for key, value in report.get(view, {}).items():
            if key.startswith("ms_batch") and isinstance(value, (int, float)):
                times[f"{view}, batch {key.removeprefix('ms_batch')}"] = value
    train = report.get("train") or {}
    if isinstance(train.get("ms_per_pair"), (int, float)):
        times[f"train, batch {train.get('batch', '?')}"] = train["ms_per_pair"]
    return times


def keep_best(table, name, case, value):
    known = table.setdefault(name, {}).get(case, float("inf"))
    table[name][case] = min(known, value)


def prepare(networks, folder, threads, names, notes):
    """Each peer's functions by case: those that work and agree with PyTorch."""
    calls = {}
    for name in names:
        try:
            ready = {}
            for view in VIEWS:
                for batch in networks.batches:
                    say(f"{name}: compiling {view}, batch {batch}, and comparing its output")
                    embed = PEERS[name](networks, folder, view, batch, threads)
                    truth = pytorch_eager(networks, folder, view, batch, threads)()
                    off = abs(embed() - truth).max() / abs(truth).max()
                    if not off < TOLERANCE:
                        raise Missing(f"its output is {off:.0e} away from PyTorch's")
                    ready[view, batch] = embed
            calls[name] = ready
        except Missing as reason:
            notes.append(f"{name} skipped: {reason}")
    return calls


def measure(options, table, notes):
    """Fill the table: {who: {case: milliseconds}}."""
    try:
        say(f"building {options.network} in PyTorch")
        networks = Networks(options.network)
    except ImportError as error:
        notes.append(f"all peers skipped: {error.name} is not installed (tools/requirements.txt)")
        networks = None
    program_works = True

    def ours(pairs=None):
        nonlocal program_works
        if program_works:
            report, problem = run_ours(options, pairs)
            program_works = report is not None
            if problem:
                notes.append(f"ours skipped: {problem}")
            elif networks and report["parameters"] != networks.parameters:
                sys.exit(f"peers.py: {options.network} has {report['parameters']} parameters here and "
                         f"{networks.parameters} in PyTorch")
            for case, value in our_times(report or {}).items():
                keep_best(table, "ours", case, value)

    if networks is None:
        return ours()
    networks.torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        calls = prepare(networks, folder, options.threads, options.peers, notes)
        for i in range(options.rounds):
            for name, ready in calls.items():
                say(f"round {i + 1} of {options.rounds}: ours beside {name}")
                ours()
                for (view, batch), embed in ready.items():
                    say(f"{name}: {view}, batch {batch}")
                    embed()
                    value = milliseconds(embed, options.repeats) / batch
                    keep_best(table, name, f"{view}, batch {batch}", value)
    if options.train:
        say(f"PyTorch: a first training step of {options.train} pairs")
        step = networks.training(options.train)
        step()
        for i in range(options.rounds):
            say(f"round {i + 1} of {options.rounds}: training, ours beside PyTorch")
            ours(options.train)
            keep_best(table, "PyTorch", f"train, batch {options.train}", milliseconds(step, 1) / options.train)


# ---- on a GPU

CUDA_BATCH, CUDA_PAIRS = 256, 128


def run_ours_on_gpu(options):
    command = [options.program, "bench", "--json", "--quiet", "--preset", options.network, "--device", "cuda",
               "--rounds", "5", "--batch", str(options.train or CUDA_PAIRS)]
    say(f"ours: {' '.join(command)}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout), None
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return None, f"ours skipped: {lines[-1] if lines else error}"


def gpu_milliseconds(torch, call, repeats):
    """The best of some synchronised runs, after two to warm up."""
    best = float("inf")
    for i in range(repeats + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        if i >= 2:
            best = min(best, time.perf_counter() - start)
    return 1000 * best


def gpu_embedding(networks, compiled, view, options):
    """Milliseconds per picture."""
    torch = networks.torch
    model = networks.fresh().embedder(view).cuda()
    for module in model.modules():               # folded constants are not buffers, so cuda() does not move them
        if hasattr(module, "folded"):
            module.folded = [constant.cuda() for constant in module.folded]
    batch = networks.of_places([CUDA_BATCH])[0]
    pixels = networks.noise(view, batch, device="cuda")
    run = torch.compile(model, dynamic=False) if compiled else model

    def embed():
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
            run(pixels)
    with quiet():
        return gpu_milliseconds(torch, embed, options.repeats) / batch


def gpu_training(networks, compiled, options):
    """Milliseconds per pair."""
    torch, pairs = networks.torch, options.train or CUDA_PAIRS
    step = networks.training(pairs, ("cuda", torch.bfloat16), compiled, device="cuda")
    with quiet():
        return gpu_milliseconds(torch, step, options.repeats) / pairs


def measure_on_gpu(options, table, notes):
    report, problem = run_ours_on_gpu(options)
    if problem:
        notes.append(problem)
    else:
        notes.append(f"on {report.get('device')}, {report['peak']['product_gflops'] / 1000:.0f} TFLOP/s at most")
    for case, value in our_times(report or {}).items():
        keep_best(table, "ours", case, value)
    try:
        networks = Networks(options.network)
    except ImportError as error:
        notes.append(f"PyTorch skipped: {error.name} is not installed (tools/requirements.txt)")
        return
    torch = networks.torch
    if not torch.cuda.is_available():
        notes.append("PyTorch skipped: it finds no GPU")
        return
    torch.set_float32_matmul_precision("high")
    for name in [name for name in ("PyTorch", "PyTorch compiled") if name in options.peers]:
        compiled = name == "PyTorch compiled"
        try:
            for view in VIEWS:
                case = f"{view}, batch {networks.of_places([CUDA_BATCH])[0]}"
                say(f"{name}: {case}")
                keep_best(table, name, case, gpu_embedding(networks, compiled, view, options))
            say(f"{name}: training, batch {options.train or CUDA_PAIRS}")
            keep_best(table, name, f"train, batch {options.train or CUDA_PAIRS}",
                      gpu_training(networks, compiled, options))
        except Exception as error:               # a failing compiler, or out of memory: many types, one meaning
            notes.append(f"{name} stopped: {str(error).strip().splitlines()[0][:120]}")
        torch.cuda.empty_cache()


def print_table(table, notes):
    names = sorted(table, key=lambda name: name != "ours")
    cases = sorted({case for times in table.values() for case in times})
    width = max([18] + [len(name) + 2 for name in names])
    print(f"{'ms per picture/pair':22}" + "".join(f"{name:>{width}}" for name in names))
    for case in cases:
        row = f"{case:22}"
        for name in names:
            value, mine = table[name].get(case), table.get("ours", {}).get(case)
            text = "-" if value is None else f"{value:.4f}" if value < 1 else f"{value:.1f}"
            if value is not None and mine and name != "ours":
                text += f" ({value / mine:.2f}x)"
            row += f"{text:>{width}}"
        print(row)
    for note in notes:
        print(note)


def as_json(table, notes, options):
    mine = table.get("ours", {})
    ratios = {name: {case: value / mine[case] for case, value in times.items() if mine.get(case)}
              for name, times in table.items() if name != "ours"}
    return json.dumps({"network": options.network, "threads": options.threads, "milliseconds": table, "ratios": ratios,
                       "notes": notes}, indent=2)


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "geoviewmatch"),
                        help="our program (default: build/geoviewmatch)")
    parser.add_argument("--network", choices=NETWORKS, default="paper", help="preset of the program (default: paper)")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--rounds", type=positive, default=3, help="rounds in which ours and the peers alternate")
    parser.add_argument("--repeats", type=positive, default=3, help="timed runs per round; the best counts")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS), metavar="NAME,...",
                        help=f"comma-separated, from: {', '.join(PEERS)}")
    parser.add_argument("--train", type=positive, nargs="?", const=4, metavar="BATCH",
                        help="also time training steps of BATCH pairs (default: 4)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="device of ours and the peers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    unknown = [name for name in options.peers if name not in PEERS]
    if unknown:
        parser.error(f"unknown peer {unknown[0]}; available: {', '.join(PEERS)}")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)

    table, notes = {}, []
    (measure_on_gpu if options.device == "cuda" else measure)(options, table, notes)
    if options.json:
        print(as_json(table, notes, options))
    else:
        print_table(table, notes)
    if not table:
        sys.exit(1)


if __name__ == "__main__":
    main()
