"""Time this program against PyTorch, ONNX Runtime and OpenVINO on the same network, in one run on this machine.

Embeds one view, the paper's configuration, float32, in batches of 1 and of 16; --train times a full training step (two
passes forward and backward, and the update). Ours and each peer's runs alternate, so that whatever else slows the
machine slows both; the table shows the best time of each in milliseconds a picture and how many times as long the
peer takes. Before it is timed, a peer's output is compared with PyTorch's. A peer that is not installed is named and
skipped.

Peers get what depends on weights alone (position biases, scales) computed beforehand. Compiling with PyTorch takes
minutes; --peers leaves it out.

--device cuda times the same network on the GPU instead: embedding in batches of 256 and training with ASAM on 128 pairs,
ours in bfloat16, PyTorch eager under autocast to bfloat16 and, compiled, by torch.compile. PyTorch's pictures lie on the
GPU as numbers already; ours come from the host's memory as bytes.
"""
import argparse
import contextlib
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

VIEWS = ("aerial", "street")
BATCHES = (1, 16)
TOLERANCE = 1e-3                             # relative difference above which a peer computes something else


class Missing(Exception):
    """Why a peer cannot take part."""


def milliseconds(call, repeats):
    """The best of some runs; the caller has run it once before."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


class Networks:
    """Both views in PyTorch, folded for inference, and one batch of pixels for each case."""

    def __init__(self, config):
        import network
        import torch
        self.torch = torch
        torch.manual_seed(0)
        model = network.fresh(config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if ".norm1.weight" in name or ".norm2.weight" in name:
                    parameter.fill_(1.0)         # a fresh block adds nothing, and a compiler might notice
        self.views = {view: getattr(model, view).fold() for view in VIEWS}
        self.pixels = {(view, batch): torch.randn(batch, 3, *getattr(config, view))
                       for view in VIEWS for batch in BATCHES}

    def export(self, folder, view, batch):
        """The network as an ONNX file with everything constant inside."""
        path = os.path.join(folder, f"{view}{batch}.onnx")
        if os.path.exists(path):
            return path
        try:
            import onnx                          # noqa: F401  (the exporter needs it)
        except ImportError as error:
            raise Missing("the package onnx is not installed") from error
        with quiet():
            self.torch.onnx.export(self.views[view], (self.pixels[view, batch],), path, dynamo=False, opset_version=17,
                                   do_constant_folding=True, input_names=["pixels"], output_names=["feature"])
        return path


@contextlib.contextmanager
def quiet():
    """Keep exporters and compilers from talking about themselves."""
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
    except Exception as error:                   # a compiler or a header that is not there: many types, one meaning
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


def pytorch_training(networks, config, batch):
    """A function that makes one training step on `batch` pairs."""
    import network
    torch = networks.torch
    model = network.fresh(config)
    adamw = network.optimizer(model)
    inputs = [torch.randn(batch, 3, *size) for size in (config.street, config.aerial, config.aerial)]
    return lambda: network.asam_step(model, adamw, inputs)


def run_ours(program, threads, pairs=None):
    """What our program's benchmark says, with training steps of so many pairs or without; or None and why not."""
    command = [program, "bench", "--json", "--quiet", "--threads", str(threads), "--rounds", "3"]
    command += ["--batch", str(pairs)] if pairs else ["--no-train"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout), None
    except FileNotFoundError:
        return None, f"{program} is not there; build it first or give --program"
    except PermissionError:
        return None, f"{program} cannot be run"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        return None, f"{' '.join(command)} failed: {lines[-1] if lines else f'exit status {error.returncode}'}"
    except json.JSONDecodeError:
        return None, f"{' '.join(command)} printed no JSON"


def our_times(report):
    """Milliseconds a picture, or a pair, by case, as far as the report has them."""
    times = {}
    for view in VIEWS:
        for batch in BATCHES:
            value = report.get(view, {}).get(f"ms_batch{batch}")
            if isinstance(value, (int, float)):
                times[f"{view}, batch {batch}"] = value
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
                for batch in BATCHES:
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
        import network
        networks = Networks(network.Config())
    except ImportError as error:
        notes.append(f"all peers skipped: {error.name} is not installed (tools/requirements.txt)")
        networks = None
    program_works = True

    def ours(pairs=None):
        nonlocal program_works
        if program_works:
            report, problem = run_ours(options.program, options.threads, pairs)
            program_works = report is not None
            if problem:
                notes.append(f"ours skipped: {problem}")
            for case, value in our_times(report or {}).items():
                keep_best(table, "ours", case, value)

    if networks is None:
        return ours()
    networks.torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        calls = prepare(networks, folder, options.threads, options.peers, notes)
        for _ in range(options.rounds):
            for name, ready in calls.items():
                ours()
                for (view, batch), embed in ready.items():
                    embed()
                    value = milliseconds(embed, options.repeats) / batch
                    keep_best(table, name, f"{view}, batch {batch}", value)
    if options.train:
        step = pytorch_training(networks, network.Config(), options.train)
        step()
        for _ in range(options.rounds):
            ours(options.train)
            keep_best(table, "PyTorch", f"train, batch {options.train}", milliseconds(step, 1) / options.train)


# ---- on a GPU

CUDA_BATCH, CUDA_PAIRS = 256, 128


def run_ours_on_gpu(options):
    command = [options.program, "bench", "--json", "--quiet", "--device", "cuda", "--rounds", "5",
               "--batch", str(options.train or CUDA_PAIRS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout), None
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return None, f"ours skipped: {lines[-1] if lines else error}"


def gpu_milliseconds(torch, call, repeats):
    """The best of some runs, each waited for; two before them warm up."""
    best = float("inf")
    for i in range(repeats + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        if i >= 2:
            best = min(best, time.perf_counter() - start)
    return 1000 * best


def gpu_embedding(torch, network, compiled, view, options):
    """Milliseconds a picture."""
    config = network.Config()
    model = getattr(network.fresh(config), view).fold().cuda()
    for module in model.modules():               # what was folded is no buffer, so it stays behind
        if hasattr(module, "folded"):
            module.folded = [constant.cuda() for constant in module.folded]
    pixels = torch.randn(CUDA_BATCH, 3, *getattr(config, view), device="cuda")
    run = torch.compile(model, dynamic=False) if compiled else model

    def embed():
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
            run(pixels)
    with quiet():
        return gpu_milliseconds(torch, embed, options.repeats) / CUDA_BATCH


def gpu_training(torch, network, compiled, options):
    """Milliseconds a pair."""
    config, pairs = network.Config(), options.train or CUDA_PAIRS
    model = network.fresh(config).cuda()
    adamw = network.optimizer(model)
    inputs = [torch.randn(pairs, 3, *size, device="cuda") for size in (config.street, config.aerial, config.aerial)]
    forward = torch.compile(model, dynamic=False) if compiled else model

    class Autocast:
        """The model as asam_step calls it, each forward pass under autocast."""
        parameters = model.parameters

        def __call__(self, *batch):
            with torch.autocast("cuda", torch.bfloat16):
                return forward(*batch)
    with quiet():
        return gpu_milliseconds(torch, lambda: network.asam_step(Autocast(), adamw, inputs), options.repeats) / pairs


def measure_on_gpu(options, table, notes):
    report, problem = run_ours_on_gpu(options)
    if problem:
        notes.append(problem)
    else:
        notes.append(f"on {report.get('device')}, {report['peak']['product_gflops'] / 1000:.0f} TFLOP/s at most")
    for view in VIEWS:
        value = (report or {}).get(view, {}).get(f"ms_batch{CUDA_BATCH}")
        if value:
            keep_best(table, "ours", f"{view}, batch {CUDA_BATCH}", value)
    train = (report or {}).get("train")
    if train:
        keep_best(table, "ours", f"train, batch {train['batch']}", train["ms_per_pair"])
    try:
        import network
        import torch
    except ImportError as error:
        notes.append(f"PyTorch skipped: {error.name} is not installed (tools/requirements.txt)")
        return
    if not torch.cuda.is_available():
        notes.append("PyTorch skipped: it finds no GPU")
        return
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    for name in [name for name in ("PyTorch", "PyTorch compiled") if name in options.peers]:
        compiled = name == "PyTorch compiled"
        try:
            for view in VIEWS:
                keep_best(table, name, f"{view}, batch {CUDA_BATCH}",
                          gpu_embedding(torch, network, compiled, view, options))
            keep_best(table, name, f"train, batch {options.train or CUDA_PAIRS}",
                      gpu_training(torch, network, compiled, options))
        except Exception as error:               # a compiler that fails, or memory: many types, one meaning
            notes.append(f"{name} stopped: {str(error).strip().splitlines()[0][:120]}")
        torch.cuda.empty_cache()


def print_table(table, notes):
    names = sorted(table, key=lambda name: name != "ours")
    cases = sorted({case for times in table.values() for case in times})
    width = max([18] + [len(name) + 2 for name in names])
    print(f"{'ms a picture / pair':22}" + "".join(f"{name:>{width}}" for name in names))
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


def as_json(table, notes, threads):
    mine = table.get("ours", {})
    ratios = {name: {case: value / mine[case] for case, value in times.items() if mine.get(case)}
              for name, times in table.items() if name != "ours"}
    return json.dumps({"threads": threads, "milliseconds": table, "ratios": ratios, "notes": notes}, indent=2)


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "geoviewmatch"),
                        help="our program (default: build/geoviewmatch)")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--rounds", type=positive, default=3, help="how often ours and the peers alternate")
    parser.add_argument("--repeats", type=positive, default=3, help="timed runs a round, of which the best counts")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS), metavar="NAME,...",
                        help=f"which ones, out of: {', '.join(PEERS)}")
    parser.add_argument("--train", type=positive, nargs="?", const=4, metavar="BATCH",
                        help="also time training steps of so many pairs (4)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where ours and the peers compute")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    unknown = [name for name in options.peers if name not in PEERS]
    if unknown:
        parser.error(f"no peer is called {unknown[0]}; there are: {', '.join(PEERS)}")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)

    table, notes = {}, []
    (measure_on_gpu if options.device == "cuda" else measure)(options, table, notes)
    if options.json:
        print(as_json(table, notes, options.threads))
    else:
        print_table(table, notes)
    if not table:
        sys.exit(1)


if __name__ == "__main__":
    main()
