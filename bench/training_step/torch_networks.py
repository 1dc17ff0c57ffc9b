# SPDX-License-Identifier: Apache-2.0
"""The networks of models/recipes in PyTorch, written from spec/convrnn.md and not from chiasm's code.

A recipe is read for the layers, cells and stages that rgc_median and rgc_shallow use; anything else is an error.
Parameters have chiasm's names. Outside (`shapes`, `load`, `export`) they have chiasm's layouts, kernels [kh, kw, in,
out] and matrices [in, out]; inside PyTorch's, so that no forward pass has to turn them around.

`run_plain` is the network as the equations read: every layer at every timestep on the full batch. `run_pruned` is
what a careful user does by hand when only the last logits count: a layer runs only at timesteps that can reach them,
a layer whose inputs and state are those of another timestep is not run again (before the image arrives, and image
layers while the image stays), and what no image has reached yet is computed for a batch of one.
"""
import json
import os
import re

import torch
import torch.nn.functional as F

RGC_SETTINGS = {"type", "cell_channels", "tau", "gate", "input_to_cell_conv", "input_to_output_conv", "l2"}
CONV_SETTINGS = {"op", "channels", "kernel", "stride", "padding", "l2", "l2_bias", "kernel_init", "bias_init"}
SEPARABLE_7 = {"kernel": 7, "separable": True}
TAU_OFFSET, GATE_OFFSET = 0.9219348064291611, 0.7006566684988862


def read_recipe(path):
    """A recipe as a dictionary, laid over what it extends. Comments (// to the end of the line, outside texts) are
    dropped. Definitions and templates are not known here: give them as `chiasm describe --expanded` prints them."""
    with open(path) as f:
        text = f.read()
    recipe = json.loads(re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda m: m.group(1) or "", text))
    if "define" in recipe or "templates" in recipe.get("model", {}):
        raise ValueError(f"{path}: expand it first, with chiasm describe --expanded")
    base = recipe.pop("extends", None)
    return recipe if base is None else merged(read_recipe(os.path.join(os.path.dirname(path), base)), recipe)


def merged(base, over):
    """Objects member by member; anything else replaces, and null removes."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    together = {key: merged(base.get(key), value) for key, value in {**base, **over}.items()}
    return {key: value for key, value in together.items() if value is not None}


def refuse_unknown(what, found, known):
    unknown = set(found) - set(known)
    if unknown:
        raise ValueError(f"{what}: {sorted(unknown)} not supported; known: {sorted(known)}")


def same_padding(sizes, kernel, stride):
    """TensorFlow's SAME: (before, after) for height, then width."""
    result = []
    for size, k in zip(sizes, kernel):
        total = max((-(-size // stride) - 1) * stride + k - size, 0)
        result.append((total // 2, total - total // 2))
    return result


def padded(x, kernel, stride, value=0.0):
    """x and the symmetric padding that the operator itself has to add: an asymmetric part is padded here."""
    (top, bottom), (left, right) = same_padding(x.shape[2:], kernel, stride)
    if top == bottom and left == right and value == 0.0:
        return x, (top, left)
    if top == bottom == left == right == 0:
        return x, (0, 0)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def resized(x, sizes):
    if tuple(x.shape[2:]) == tuple(sizes):
        return x
    return F.interpolate(x, tuple(sizes), mode="bilinear", align_corners=True)


def joined(parts):
    """Channels side by side; batches of one are widened to the largest batch."""
    batch = max(p.shape[0] for p in parts)
    return parts[0] if len(parts) == 1 else torch.cat([p.expand(batch, -1, -1, -1) for p in parts], 1)


class Parameters:
    """Tensors by name. The first run of a network declares them; `load` fills them."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.l2 = {}
        self.fan_in = {}  # 0 for biases
        self.tensors = {}

    def get(self, name, shape, l2=0.0):
        """`shape` in PyTorch's layout."""
        if name not in self.tensors:
            self.l2[name] = l2
            self.fan_in[name] = int(torch.Size(shape[1:]).numel()) if len(shape) > 1 else 0
            self.tensors[name] = torch.zeros(shape, dtype=self.dtype)
        return self.tensors[name]

    @staticmethod
    def outside(tensor):
        """PyTorch's layout to chiasm's: OIHW to HWIO, [out, in] to [in, out]."""
        return tensor.permute(2, 3, 1, 0) if tensor.dim() == 4 else tensor.t() if tensor.dim() == 2 else tensor

    @staticmethod
    def inside(tensor):
        return tensor.permute(3, 2, 0, 1) if tensor.dim() == 4 else tensor.t() if tensor.dim() == 2 else tensor


class Network:
    def __init__(self, model, dtype=torch.float32, memory_format=torch.contiguous_format, device="cpu"):
        self.model = model
        self.device = device  # of the parameters that load() makes
        self.steps = model["steps"]
        self.off = model.get("image_off", -1)
        self.blank = model["blank"]
        self.memory_format = memory_format
        self.parameters = Parameters(dtype)
        self.layers = model["layers"]
        self.names = [layer["name"] for layer in self.layers]
        # Sources of each layer: the feedforward one, then the others by name.
        self.sources = {name: [before] for name, before in zip(self.names, ["image"] + self.names)}
        for connection in sorted(model.get("connections", []), key=lambda c: c["source"]):
            refuse_unknown("connection", connection, {"source", "target"})
            self.sources[connection["target"]].append(connection["source"])
        self._learn_shapes()

    def _learn_shapes(self):
        """Runs every layer once, with all its sources: declares the parameters, finds output and state shapes."""
        self.output_shape, self.state_shapes = {}, {}
        height, width, channels = self.model["image"]
        zeros = {"image": torch.zeros(1, channels, height, width, dtype=self.parameters.dtype)}
        with torch.no_grad():
            for layer in self.layers:  # outputs depend on the shape of the feedforward source alone
                zeros[layer["name"]] = self.run_layer(layer, [zeros[self.sources[layer["name"]][0]]], None)[0]
            for layer in self.layers:
                name = layer["name"]
                _, state = self.run_layer(layer, [zeros[s] for s in self.sources[name]], None)
                self.output_shape[name] = tuple(zeros[name].shape[1:])
                self.state_shapes[name] = [tuple(s.shape[1:]) for s in state]

    # Parameters from and to the outside.

    def shapes(self):
        """{name: shape in chiasm's layout}."""
        return {name: tuple(Parameters.outside(t).shape) for name, t in self.parameters.tensors.items()}

    def load(self, arrays):
        if set(arrays) != set(self.parameters.tensors):
            raise ValueError(f"parameters differ: {sorted(set(arrays) ^ set(self.parameters.tensors))}")
        for name, array in arrays.items():
            tensor = Parameters.inside(torch.as_tensor(array, dtype=self.parameters.dtype))
            if tensor.shape != self.parameters.tensors[name].shape:
                raise ValueError(f"{name}: shape {tuple(array.shape)}, expected {self.shapes()[name]}")
            format = self.memory_format if tensor.dim() == 4 else torch.contiguous_format
            self.parameters.tensors[name] = tensor.to(self.device).clone(memory_format=format).requires_grad_()

    def export(self, tensors):
        """{name: NumPy array in chiasm's layout} of tensors that are laid out like the parameters."""
        return {n: Parameters.outside(t.detach()).contiguous().cpu().numpy() for n, t in tensors.items()}

    def optimizer(self, rate, momentum):
        groups = {}
        for name, tensor in self.parameters.tensors.items():
            groups.setdefault(self.parameters.l2[name], []).append(tensor)
        return torch.optim.SGD([{"params": g, "weight_decay": l2} for l2, g in groups.items()], lr=rate,
                               momentum=momentum)

    def velocities(self, optimizer):
        return {n: optimizer.state[t]["momentum_buffer"] for n, t in self.parameters.tensors.items()}

    # Layers.

    def conv(self, path, x, channels, kernel, stride=1, separable=False, bias=True, padding="same", l2=0.0,
             l2_bias=0.0):
        get = self.parameters.get
        b = get(path + "/bias", (channels,), l2_bias) if bias else None
        if separable:
            width = x.shape[1]
            k = tuple(min(kernel, size) for size in x.shape[2:])
            depthwise = get(path + "/depthwise", (width, 1, *k), l2)
            x, pad = padded(x, k, stride)
            x = F.conv2d(x, depthwise, None, stride, pad, groups=width)
            return F.conv2d(x, get(path + "/pointwise", (channels, width, 1, 1), l2), b)
        pad = (0, 0)
        weight = get(path + "/weight", (channels, x.shape[1], kernel, kernel), l2)
        if padding == "same":
            x, pad = padded(x, (kernel, kernel), stride)
        return F.conv2d(x, weight, b, stride, pad)

    def stage(self, path, stage, x):
        if stage == "elu":
            return F.elu(x)
        if stage == "relu":
            return F.relu(x)
        op = stage["op"]
        if op == "conv":
            refuse_unknown(path, stage, CONV_SETTINGS)
            return self.conv(f"{path}/conv", x, stage["channels"], stage.get("kernel", 3), stage.get("stride", 1),
                             padding=stage.get("padding", "same"), l2=stage.get("l2", 0.0),
                             l2_bias=stage.get("l2_bias", 0.0))
        if op == "max_pool":
            refuse_unknown(path, stage, {"op", "size"})
            size = stage["size"]
            x, _ = padded(x, (size, size), size, float("-inf"))
            return F.max_pool2d(x, size)
        if op == "global_average_pool":
            return x.mean((2, 3))
        if op == "linear":
            refuse_unknown(path, stage, {"op", "units", "l2", "l2_bias", "kernel_init", "bias_init"})
            units = stage["units"]
            weight = self.parameters.get(f"{path}/linear/weight", (units, x.shape[1]), stage.get("l2", 0.0))
            return F.linear(x, weight, self.parameters.get(f"{path}/linear/bias", (units,), stage.get("l2_bias", 0.0)))
        raise ValueError(f"{path}: stage {op} not supported")

    def rgc(self, path, cell, x, r, feedback, state):
        """The general cell with the switches of RGC Median (spec 4.1)."""
        refuse_unknown(path, cell, RGC_SETTINGS)
        cells, l2 = cell.get("cell_channels", 64), cell.get("l2", 0.0002033999204146308)
        tau, gate = cell.get("tau", SEPARABLE_7), cell.get("gate", SEPARABLE_7)
        to_cell = cell.get("input_to_cell_conv", {"kernel": 2})
        to_output = cell.get("input_to_output_conv", {"kernel": 3})
        c, h = state or [x.new_zeros(1, cells, *x.shape[2:]), torch.zeros_like(x)]
        width = x.shape[1]

        def conv(name, v, channels, shape):
            return self.conv(f"{path}/{name}", v, channels, shape["kernel"], separable=shape.get("separable", False),
                             l2=l2)

        x = F.elu(x)
        m = conv("input_to_cell", x, cells, to_cell)
        keep = TAU_OFFSET * (1 - torch.sigmoid(conv("cell_tau", c, cells, tau)))
        take = GATE_OFFSET * (1 - torch.tanh(conv("cell_gate", h, cells, gate)))
        next_c = F.elu(keep * c + take * m)
        o = conv("input_to_output", x, width, to_output)
        residual = resized(r, x.shape[2:])
        if residual.shape[1] != width:
            residual = self.conv(f"{path}/residual", residual, width, 1, bias=False)
        o = o + residual
        if feedback is not None:
            o = o + conv("feedback", feedback, width, {"kernel": 1})
        keep = TAU_OFFSET * (1 - torch.sigmoid(conv("output_tau", h, width, tau)))
        take = GATE_OFFSET * (1 - torch.tanh(conv("output_gate", c, width, gate)))
        return next_c, F.elu(keep * h + take * o)

    def rgc_shallow(self, path, cell, u, r, state):
        """The minimal cell: six dense convolutions without bias (spec 2.7)."""
        refuse_unknown(path, cell, {"type", "kernel", "cell_channels", "l2"})
        width, cells = u.shape[1], cell.get("cell_channels", u.shape[1])
        c, h = state or [u.new_zeros(1, cells, *u.shape[2:]), torch.zeros_like(u)]

        def conv(name, v, channels):
            return self.conv(f"{path}/{name}", v, channels, cell.get("kernel", 3), bias=False, l2=cell.get("l2", 1e-4))

        m = conv("input_to_cell", u, cells)
        next_c = F.elu((1 - torch.sigmoid(conv("cell_to_cell", c, cells))) * c
                       + (1 - torch.sigmoid(conv("output_to_cell", h, cells))) * m)
        gate = conv("cell_to_output", c, width) + conv("feedforward_to_output", r, width)
        return next_c, F.elu((1 - torch.sigmoid(conv("output_to_output", h, width))) * h
                             + (1 - torch.sigmoid(gate)) * u)

    def run_layer(self, layer, sources, state):
        """(output, state): one timestep. `state` None: the cell starts here, from zeros for a batch of one."""
        refuse_unknown(layer["name"], layer, {"name", "pre", "cell", "post"})
        path, r, feedback = layer["name"], sources[0], None
        if len(sources) > 1:
            if layer.get("cell", {}).get("type") != "rgc":
                raise ValueError(f"{path}: only the cell rgc takes other inputs than the feedforward one")
            feedback = joined([resized(s, r.shape[2:]) for s in sources[1:]])
        x = r
        for stage in layer.get("pre", []):
            x = self.stage(path, stage, x)
        state_after = []
        if "cell" in layer:
            kind = layer["cell"]["type"]
            if kind == "rgc":
                state_after = self.rgc(f"{path}/cell", layer["cell"], x, r, feedback, state)
            elif kind == "rgc_shallow":
                state_after = self.rgc_shallow(f"{path}/cell", layer["cell"], x, r, state)
            else:
                raise ValueError(f"{path}: cell {kind} not supported")
            x = state_after[1]
        for stage in layer.get("post", []):
            x = self.stage(path, stage, x)
        return x, state_after

    # Unrolling. `image` is [N, C, H, W]; the result is the logits of the last timestep.

    def _image_on(self, t):
        return self.off < 0 or t < self.off

    def run_plain(self, image):
        batch = image.shape[0]

        def zeros(shape):
            full = torch.zeros((batch, *shape), dtype=image.dtype, device=image.device)
            return full.contiguous(memory_format=self.memory_format) if full.dim() == 4 else full

        output = {name: zeros(self.output_shape[name]) for name in self.names}
        state = {name: [zeros(s) for s in self.state_shapes[name]] for name in self.names}
        blank = torch.full_like(image, self.blank)
        for t in range(self.steps):
            before = dict(output)
            before["image"] = image if self._image_on(t) else blank
            for layer in self.layers:
                name = layer["name"]
                output[name], state[name] = self.run_layer(layer, [before[s] for s in self.sources[name]], state[name])
        return output[self.names[-1]]

    def _needed(self):
        """{(layer, t)} that the last readout depends on."""
        needed, waiting = set(), [(self.names[-1], self.steps - 1)]
        while waiting:
            name, t = waiting.pop()
            if (name, t) in needed or t < 0 or name == "image":
                continue
            needed.add((name, t))
            waiting += [(source, t - 1) for source in self.sources[name] if source != "image"]
            if self.state_shapes[name]:
                waiting.append((name, t - 1))
        return needed

    def run_pruned(self, image):
        def zeros(shape):
            one = torch.zeros((1, *shape), dtype=image.dtype, device=image.device)
            return one.contiguous(memory_format=self.memory_format) if one.dim() == 4 else one

        needed = self._needed()
        # Results have an identity, what they were made from: equal identities are computed once. The identity of what
        # is still silent is None; it is zeros for a batch of one.
        results = {"image": image, "blank": torch.full_like(image[:1], self.blank)}
        silent = {name: zeros(self.output_shape[name]) for name in self.names}
        numbers, identity = {}, {}
        for t in range(self.steps):
            for layer in self.layers:
                name = layer["name"]
                if (name, t) not in needed:
                    continue
                made_from = [name]
                inputs = []
                for source in self.sources[name]:
                    if source == "image":
                        key = "image" if self._image_on(t) else "blank"
                        inputs.append(results[key])
                    else:
                        key = identity.get((source, t - 1))
                        inputs.append(silent[source] if key is None else results[key][0])
                    made_from.append(key)
                before = identity.get((name, t - 1)) if self.state_shapes[name] else None
                made_from.append(before)
                key = numbers.setdefault(tuple(made_from), len(numbers))
                identity[name, t] = key
                if key not in results:
                    state = [zeros(s) for s in self.state_shapes[name]] if before is None else results[before][1]
                    results[key] = self.run_layer(layer, inputs, state)
        return results[identity[self.names[-1], self.steps - 1]][0]
