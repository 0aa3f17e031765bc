"""How fast speech is made here, beside NeMo's modules and beside what the machine can do."""

ROW_NAMES = ("ceilings", "waveglow", "tacotron2", "chain", "first-sound", "cold", "memory")
