package main

import (
	"context"
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

func runAPIServer() {
	os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
}

func runControllerManager() {
	os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
}

func runScheduler() {
	os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
}

func runProxy() {
	os.Exit(cli.Run(proxy.NewProxyCommand()))
}

func runKubelet() {
	// It sets up its own signals when it runs, which may be done once in a process.
	os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
}

func runKubectl() {
	reachNodeDirectly()
	// The verbosity has to hold before the command exists: building it reads files and plugins.
	logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)) //nolint:errcheck // refused levels stay at 0
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
