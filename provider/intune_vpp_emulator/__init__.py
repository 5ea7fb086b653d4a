"""An emulated Microsoft Intune tenant for VPP tokens: see `python -m intune_vpp_emulator --help`."""
