"""The IR: its shape, its canonical form, where its parts come from."""

IR_VERSION = "floec.ir.v1"
