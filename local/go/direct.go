package main

import (
	"os"
	"strings"
)

// nodeNetworks are the ranges that trainyard_local/addresses.py chooses from.
const nodeNetworks = "10.210.0.0/16,10.211.0.0/16,10.212.0.0/16,198.18.0.0/15"

// reachNodeDirectly keeps kubectl and helm from asking a proxy of the environment for the node:
// the node's address exists on this machine only.
func reachNodeDirectly() {
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		excluded := nodeNetworks
		if already := strings.TrimSpace(os.Getenv(name)); already != "" {
			excluded = already + "," + nodeNetworks
		}
		os.Setenv(name, excluded)
	}
}
