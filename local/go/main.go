// Command trainyard-node is every program of the one-node cluster in a single file.
//
// The programs share most of their code, so one binary links once instead of nine times and takes
// a third of the disk. The name it is started by (a symbolic link) chooses the program, and only
// that program runs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

var programs = map[string]func(){
	"coredns":                 runCoreDNS,
	"etcd":                    runEtcd,
	"helm":                    runHelm,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-proxy":              runProxy,
	"kube-scheduler":          runScheduler,
	"kubectl":                 runKubectl,
	"kubelet":                 runKubelet,
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: no program of this name; start it by a link called one of: %s\n",
			name, strings.Join(names(), ", "))
		os.Exit(2)
	}
	run()
}

func names() []string {
	all := make([]string, 0, len(programs))
	for name := range programs {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}
