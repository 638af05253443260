"""The stages of a job: each looks at what was observed and adds to the draft of a plan."""
