"""How fast speech is made here, beside NeMo's modules and beside what the machine can do."""

ROW_NAMES = (
    *("ceilings", "waveglow", "tacotron2"),  # the machine, and models in their published sizes
    *("chain", "first-sound", "cold", "memory", "batch"),  # a voice as it is used
)
