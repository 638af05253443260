"""Writes out what each program is configured by. Plain values in, text out.

The settings are the ones that a node needs when it is a guest on somebody's machine: nothing of
the host's is tuned (connection tracking, out-of-memory scores), nothing is evicted because the
host's disk is rather full, and every path is the cluster's own.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import yaml

from trainyard_local.addresses import Addresses
from trainyard_local.places import Places

SANDBOX_IMAGE = "trainyard.local/pause:1"
CLUSTER_DOMAIN = "cluster.local"
MAX_PODS = 250


def kubeconfig(places: Places, addresses: Addresses, identity: str) -> str:
    """Returns a kubeconfig with everything inside, so that it can be copied."""

    def encoded(file: str) -> str:
        return base64.b64encode((places.pki / file).read_bytes()).decode()

    context = f"trainyard-{places.name}"
    return _yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": context,
                    "cluster": {
                        "server": addresses.server,
                        "certificate-authority-data": encoded("ca.crt"),
                    },
                }
            ],
            "users": [
                {
                    "name": f"{context}-{identity}",
                    "user": {
                        "client-certificate-data": encoded(f"{identity}.crt"),
                        "client-key-data": encoded(f"{identity}.key"),
                    },
                }
            ],
            "contexts": [
                {
                    "name": context,
                    "context": {"cluster": context, "user": f"{context}-{identity}"},
                }
            ],
            "current-context": context,
        }
    )


def containerd(places: Places, plugins: Path) -> str:
    """Returns containerd's configuration."""
    cri = "io.containerd.grpc.v1.cri"
    return f"""\
version = 2
root = "{places.containerd}"
state = "{places.containerd_run}"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{places.containerd_socket}"

[plugins."{cri}"]
  sandbox_image = "{SANDBOX_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[plugins."{cri}".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."{cri}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."{cri}".containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = "{places.run / "runc"}"

[plugins."{cri}".cni]
  bin_dir = "{plugins}"
  conf_dir = "{places.config / "cni"}"

[plugins."{cri}".registry]
  config_path = "{places.config / "registries"}"
"""


def registry_hosts(addresses: Addresses) -> str:
    """Returns containerd's settings for the cluster's registry: plain HTTP, on this machine."""
    url = f"http://{addresses.registry}"
    return f"""\
server = "{url}"

[host."{url}"]
  capabilities = ["pull", "resolve", "push"]
"""


def registry(places: Places, addresses: Addresses) -> str:
    """Returns the registry's configuration."""
    return _yaml(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(places.registry)},
                "cache": {"blobdescriptor": "inmemory"},
                "delete": {"enabled": True},
            },
            "http": {"addr": addresses.registry},
        }
    )


def pod_network(places: Places, addresses: Addresses) -> str:
    """Returns the configuration of the network plugins."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(places.cni_data),
            "ranges": [[{"subnet": addresses.pod_network}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    plugins = [bridge, portmap]
    content = {"cniVersion": "1.0.0", "name": places.cni_network, "plugins": plugins}
    return json.dumps(content, indent=2) + "\n"


def kubelet(places: Places, addresses: Addresses) -> str:
    """Returns the kubelet's configuration."""
    return _yaml(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": addresses.node_ip,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(places.pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(places.pki / "kubelet-serving.crt"),
            "tlsPrivateKeyFile": str(places.pki / "kubelet-serving.key"),
            "containerRuntimeEndpoint": f"unix://{places.containerd_socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{places.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "makeIPTablesUtilChains": False,
            "maxPods": MAX_PODS,
            "clusterDNS": [addresses.node_ip],
            "clusterDomain": CLUSTER_DOMAIN,
            # Never the host's: its servers cannot be reached from the node.
            "resolvConf": "",
            "podLogsDir": str(places.pod_logs),
            "volumePluginDir": str(places.kubelet / "volume-plugins"),
            # Short, for a job's pods come and go by the dozen.
            "nodeStatusUpdateFrequency": "5s",
            "shutdownGracePeriod": "0s",
            "serializeImagePulls": False,
            # The host's disk is the user's business: nothing is evicted or removed because of it.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "0%",
                "nodefs.inodesFree": "0%",
                "imagefs.available": "0%",
                "imagefs.inodesFree": "0%",
            },
        }
    )


def proxy(places: Places, addresses: Addresses) -> str:
    """Returns kube-proxy's configuration."""
    return _yaml(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "bindAddress": addresses.node_ip,
            "healthzBindAddress": f"{addresses.node_ip}:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "clusterCIDR": addresses.pod_network,
            "clientConnection": {"kubeconfig": str(places.config / "proxy.kubeconfig")},
            "oomScoreAdj": 0,
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpCloseWaitTimeout": "0s",
                "tcpEstablishedTimeout": "0s",
            },
        }
    )


def corefile(places: Places, addresses: Addresses) -> str:
    """Returns CoreDNS's configuration. Names outside the cluster do not exist for it."""
    return f""".:53 {{
    bind {addresses.node_ip}
    errors
    ready {addresses.node_ip}:8181
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {places.config / "coredns.kubeconfig"}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def audit(user: str) -> str:
    """Returns what the API server notes down: what a user asks for, once it is answered.

    Of watches the beginning as well: it is when they count, and their end may never come.
    """
    return _yaml(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "omitManagedFields": True,
            "rules": [{"level": "Metadata", "users": [user]}, {"level": "None"}],
        }
    )


def write_all(
    places: Places, addresses: Addresses, plugins: Path, audit_user: str | None = None
) -> None:
    """Writes every program's configuration to its place.

    Args:
        places: of the cluster.
        addresses: of the cluster.
        plugins: the folder of the network plugins.
        audit_user: whose requests the API server notes down.
    """
    config = places.config
    files = {
        places.kubeconfig: kubeconfig(places, addresses, "admin"),
        config / "containerd.toml": containerd(places, plugins),
        config / "registries" / addresses.registry / "hosts.toml": registry_hosts(addresses),
        config / "registry.yaml": registry(places, addresses),
        config / "cni/10-trainyard.conflist": pod_network(places, addresses),
        config / "kubelet.yaml": kubelet(places, addresses),
        config / "proxy.yaml": proxy(places, addresses),
        config / "Corefile": corefile(places, addresses),
    }
    for identity in ("kubelet", "controller-manager", "scheduler", "proxy", "coredns"):
        files[config / f"{identity}.kubeconfig"] = kubeconfig(places, addresses, identity)
    if audit_user is not None:
        files[config / "audit.yaml"] = audit(audit_user)
    for path, content in files.items():
        _write(path, content)


def _write(path: Path, content: str) -> None:
    # An unchanged file is not touched: kube-proxy ends when its configuration is written.
    if path.exists() and path.read_text() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o600)


def _yaml(content: dict[str, object]) -> str:
    return yaml.safe_dump(content, sort_keys=False)
