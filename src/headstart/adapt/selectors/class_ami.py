"""ClassAMI: do the predicted classes of the target items agree with clusters of their features?

Adjusted mutual information of predicted classes and k-means clusters, as many as there are classes: 0 by chance, 1 if
equal. It sees no label, and fails where the clusters of the target are not its classes.

Source: Musgrave, Belongie and Lim 2022, "Benchmarking validation methods for unsupervised domain adaptation".
The clusters are those of the stored features, the same for all candidates.

Legend: M target items.
"""

from __future__ import annotations

from headstart.adapt.domains import Codes
from headstart.adapt.selectors.candidate import Candidate
from headstart.adapt.selectors.selector import Selector


def class_ami(predicted_M: Codes, clusters_M: Codes) -> float:
    """Return the adjusted mutual information of predicted classes and clusters, each of shape (M,)."""
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(predicted_M, clusters_M))


def _class_ami(candidate: Candidate) -> float:
    return class_ami(candidate.predicted_M, candidate.comparison.clusters_M)


CLASS_AMI = Selector("class_ami", "agreement of predictions and clusters", _class_ami)
