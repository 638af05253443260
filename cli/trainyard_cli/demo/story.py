"""The demo's story: each step says what it does, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from trainyard_api.names import ANNOTATION_RETRAIN
from trainyard_cli.cluster_job import follow, show_end, status_of
from trainyard_cli.commands.predict import show_predictions
from trainyard_cli.demo import cluster as steps
from trainyard_cli.demo.checkout import Checkout
from trainyard_cli.demo.cluster import LocalCluster
from trainyard_cli.endpoint import Endpoint
from trainyard_cli.errors import CliError
from trainyard_cli.job_file import read_job

IMAGES_SHOWN = 10


class Story:
    """Tells the steps."""

    def __init__(self, checkout: Checkout, console: Console) -> None:
        self._checkout = checkout
        self._console = console
        job = read_job(checkout.job)
        self._job, self._spec = job.metadata.name, job.spec
        self._begun = time.monotonic()

    def tell(self) -> None:
        """Run the main job on a cluster of this machine.

        Raises:
            NoClusterHere: the machine does not allow one.
            CliError: a step failed.
        """
        with self._step("A real Kubernetes on this machine"):
            cluster = steps.bring_up()
        with self._step("The images of operator, trainer and serving"):
            values = steps.build_images(cluster)
        with self._step("MNIST and Fashion-MNIST, where jobs can read them"):
            data = steps.put_data()
        with self._step("The operator, by its Helm chart"):
            steps.install_operator(cluster, self._checkout, values)
        with self._step(f"The job: kubectl apply -f {self._shown(self._checkout.job)}"):
            document = self._run_job(cluster)
        show_end(document, self._console)
        if status_of(document).phase == "Failed":
            raise CliError("the job has failed; mend what is said above, and run the demo again")
        with self._step("Real test images, through the cluster's network"):
            self._predict(cluster, data)
        self._say_goodbye(cluster, data)

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self._console.print(Text(f"\n== {title}", "bold"))
        begun = time.monotonic()
        yield
        self._console.print(Text(f"   {time.monotonic() - begun:.1f} s", "dim"))

    def _run_job(self, cluster: LocalCluster) -> dict[str, object]:
        kubectl = cluster.kubectl
        self._console.print(kubectl.run("apply", "-f", str(self._checkout.job)).strip())
        if status_of(kubectl.job(self._job)).phase == "Failed":
            # An earlier demo's: the same spec would stay failed.
            now = datetime.now(UTC).isoformat(timespec="seconds")
            kubectl.run("annotate", "tj", self._job, f"{ANNOTATION_RETRAIN}={now}", "--overwrite")
        return follow(kubectl, self._job, self._console)

    def _predict(self, cluster: LocalCluster, data: Path) -> None:
        serving = self._spec.serving
        if serving is None:
            raise CliError(f"{self._checkout.job} has no spec.serving")
        name = serving.name or self._job
        address = cluster.kubectl.run(
            "get", "service", name, "-o", "jsonpath={.spec.clusterIP}"
        ).strip()
        endpoint = Endpoint(f"http://{address}:{serving.port}", name)
        show_predictions(endpoint, self._images(data), IMAGES_SHOWN)

    def _images(self, data: Path) -> Path:
        """The folder of the job's own data set."""
        return data / self._spec.data.source.uri.rpartition("/")[2]

    def _say_goodbye(self, cluster: LocalCluster, data: Path) -> None:
        seconds = time.monotonic() - self._begun
        images = self._images(data)
        lines = [
            f"Done in {seconds / 60:.1f} minutes. Cluster and job stay. Look on:",
            f"  export KUBECONFIG={cluster.kubeconfig} PATH=$PATH:{cluster.programs}",
            "  kubectl get trainingjobs,pods",
            f"  kubectl describe tj {self._job}",
            f"  .venv/bin/trainyard predict {self._job} --data {images} --count 20",
            "Remove it all:",
            "  make undemo",
        ]
        self._console.print()
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._checkout.root))
