"""The operator: decides over plain data, and acts through one of two pairs of hands."""
