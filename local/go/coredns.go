package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

// The order is the order in which a question passes the plugins. Naming them here, instead of
// taking the default set, leaves out the plugins that pull in every cloud's library.
var directives = []string{
	"bind",
	"ready",
	"errors",
	"cache",
	"kubernetes",
}

func runCoreDNS() {
	dnsserver.Directives = directives
	coremain.Run()
}
