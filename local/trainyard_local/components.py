"""The programs of a cluster: how each is started, and in which order.

The order of starting is the order of need; taking down goes the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainyard_local.addresses import Addresses
from trainyard_local.extent import Extent
from trainyard_local.pki import AUTHORITY, FRONT_PROXY_AUTHORITY, SERVICE_ACCOUNT
from trainyard_local.places import Places

# The part that integration tests use: a real API server with a real garbage collector.
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager")
AUDIT_LOG_MEGABYTES = 4096


@dataclass(frozen=True)
class Component:
    """A program of the cluster.

    Attributes:
        name: of the program, its log and its PID file.
        command: the program and its arguments.
    """

    name: str
    command: tuple[str, ...]


def components(
    places: Places, addresses: Addresses, programs: Path, extent: Extent
) -> list[Component]:
    """Returns the programs in the order of their start.

    Args:
        places: of the cluster.
        addresses: of the cluster.
        programs: the folder of the programs that were built.
        extent: says which of them.
    """
    config = places.config
    whole = not extent.control_plane_only
    everything = [
        Component("etcd", _etcd(places, programs, durable=whole)),
        Component("kube-apiserver", _apiserver(places, addresses, programs, extent)),
        Component("containerd", ("containerd", f"--config={config / 'containerd.toml'}")),
        Component("registry", ("docker-registry", "serve", str(config / "registry.yaml"))),
        Component(
            "kube-controller-manager",
            _controller_manager(places, addresses, programs, has_node=whole),
        ),
        Component("kube-scheduler", _scheduler(places, programs)),
        Component("kubelet", _kubelet(places, addresses, programs)),
        Component(
            "kube-proxy",
            (
                str(programs / "kube-proxy"),
                f"--config={config / 'proxy.yaml'}",
                f"--hostname-override={places.name}",
            ),
        ),
        Component("coredns", (str(programs / "coredns"), "-conf", str(config / "Corefile"))),
    ]
    if whole:
        return everything
    wanted = (*CONTROL_PLANE, "kube-scheduler") if extent.scheduler else CONTROL_PLANE
    return [component for component in everything if component.name in wanted]


def _etcd(places: Places, programs: Path, *, durable: bool) -> tuple[str, ...]:
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    flags = (
        str(programs / "etcd"),
        f"--data-dir={places.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    )
    return flags if durable else (*flags, "--unsafe-no-fsync")


def _apiserver(
    places: Places, addresses: Addresses, programs: Path, extent: Extent
) -> tuple[str, ...]:
    pki = places.pki
    flags = (
        str(programs / "kube-apiserver"),
        f"--advertise-address={addresses.node_ip}",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--service-cluster-ip-range={addresses.service_network}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--anonymous-auth=true",
        "--profiling=false",
        # There is no kube-proxy in a control plane alone, and aggregation is to work there too.
        "--enable-aggregator-routing=true",
        # The node's name means nothing to any resolver.
        "--kubelet-preferred-address-types=InternalIP",
        f"--client-ca-file={pki / f'{AUTHORITY}.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--kubelet-certificate-authority={pki / f'{AUTHORITY}.crt'}",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / f'{SERVICE_ACCOUNT}.pub'}",
        f"--service-account-signing-key-file={pki / f'{SERVICE_ACCOUNT}.key'}",
        f"--requestheader-client-ca-file={pki / f'{FRONT_PROXY_AUTHORITY}.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
    )
    return flags if extent.audit_user is None else (*flags, *_audit(places))


def _audit(places: Places) -> tuple[str, ...]:
    return (
        f"--audit-policy-file={places.config / 'audit.yaml'}",
        f"--audit-log-path={places.audit_log}",
        # Written beside the requests: what is measured by it must not wait for it.
        "--audit-log-mode=batch",
        "--audit-log-batch-buffer-size=100000",
        # One file, so that a reader can go on where it left off.
        f"--audit-log-maxsize={AUDIT_LOG_MEGABYTES}",
    )


def _controller_manager(
    places: Places, addresses: Addresses, programs: Path, *, has_node: bool
) -> tuple[str, ...]:
    kubeconfig = places.config / "controller-manager.kubeconfig"
    prefix = addresses.pod_network.rpartition("/")[2]
    return (
        str(programs / "kube-controller-manager"),
        "--bind-address=127.0.0.1",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        # The pod network is one node's, and nodes that are played need none.
        f"--allocate-node-cidrs={str(has_node).lower()}",
        f"--cluster-cidr={addresses.pod_network}",
        f"--node-cidr-mask-size={prefix}",
        f"--service-cluster-ip-range={addresses.service_network}",
        f"--root-ca-file={places.pki / f'{AUTHORITY}.crt'}",
        f"--client-ca-file={places.pki / f'{AUTHORITY}.crt'}",
        f"--requestheader-client-ca-file={places.pki / f'{FRONT_PROXY_AUTHORITY}.crt'}",
        f"--service-account-private-key-file={places.pki / f'{SERVICE_ACCOUNT}.key'}",
        f"--cluster-signing-cert-file={places.pki / f'{AUTHORITY}.crt'}",
        f"--cluster-signing-key-file={places.pki / f'{AUTHORITY}.key'}",
        f"--flex-volume-plugin-dir={places.kubelet / 'volume-plugins'}",
        # A claim that was looked at a moment too early is looked at again this often.
        "--pvclaimbinder-sync-period=1s",
        # The defaults spare an API server that thousands of nodes ask.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )


def _scheduler(places: Places, programs: Path) -> tuple[str, ...]:
    kubeconfig = places.config / "scheduler.kubeconfig"
    return (
        str(programs / "kube-scheduler"),
        "--bind-address=127.0.0.1",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        # The defaults spare an API server that thousands of nodes ask.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    )


def _kubelet(places: Places, addresses: Addresses, programs: Path) -> tuple[str, ...]:
    return (
        str(programs / "kubelet"),
        f"--config={places.config / 'kubelet.yaml'}",
        f"--kubeconfig={places.config / 'kubelet.kubeconfig'}",
        f"--root-dir={places.kubelet}",
        f"--cert-dir={places.kubelet / 'pki'}",
        f"--hostname-override={places.name}",
        f"--node-ip={addresses.node_ip}",
        "--node-labels=trainyard.dev/local=true",
    )
