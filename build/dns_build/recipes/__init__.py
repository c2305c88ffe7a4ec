"""How each part of the runtime is built: one module a part, each with `FILES`, `NEEDS` and `build`."""
