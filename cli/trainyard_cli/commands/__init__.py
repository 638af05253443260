"""The commands: each reads its arguments and hands over."""
