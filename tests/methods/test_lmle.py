"""LMLE: quintuplet loss, clusters and nearest-cluster rule against literal float64 loops."""

import copy
import functools
import io
import math
import warnings

import pytest
import torch
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl.methods import lmle
from dcl.methods.clusters import find_partners
from dcl.sampling import dsl_loss

MARGINS = (0.1, 0.2, 0.4)

LMLE = functools.partial(lmle.LMLE, warm_up=0.0, partners="hard")


def clustered(class_counts, clusters, width=4, **options):
    """A criterion whose training set is the batch, with the given cluster of each sample."""
    criterion = LMLE(class_counts, 10, **options)
    criterion.clusters = clusters.to(torch.uint8)
    criterion.centroids = torch.zeros(*class_counts.shape, criterion.max_clusters, width)
    return criterion


def unit(x):
    return x / x.norm()


def distance(x, y):
    return (x - y).square().sum()


def literal_loss(features, labels, clusters, margins=MARGINS):
    """Eq. 1 and 2 for every anchor, in loops. Returns the loss and the quintuplets' numbers."""
    total, numbers = features.sum() * 0, []
    for a in range(labels.shape[1]):
        x = [unit(row) for row in features[:, a]]
        y, k = labels[:, a].tolist(), clusters[:, a].tolist()
        hinges = {}
        for i in range(len(y)):
            d = {j: distance(x[i], x[j]) for j in range(len(y)) if j != i}
            within = {j: d[j] for j in d if y[j] == y[i] and k[j] == k[i]}
            across = {j: d[j] for j in d if y[j] == y[i] and k[j] != k[i]}
            others = {j: d[j] for j in d if y[j] != y[i]}
            if not (within and across and others):
                continue
            order = [
                max(within.values(), key=torch.Tensor.item),
                min(across.values(), key=torch.Tensor.item),
                max(across.values(), key=torch.Tensor.item),
                min(others.values(), key=torch.Tensor.item),
            ]
            hinge = 0
            for g, near, far in zip(margins, order[:3], order[1:], strict=True):
                hinge = hinge + max(g + near - far, torch.zeros_like(near), key=torch.Tensor.item)
            hinges.setdefault(y[i], []).append(hinge)
        numbers.append(sum(len(values) for values in hinges.values()))
        means = [sum(values) / len(values) for values in hinges.values()]
        if means:
            total = total + sum(means) / len(means)
    return total, numbers


def literal_scores(features, centroids, filled, neighbours):
    """Eq. 3 in loops, with 4 and 9 where a class has nothing near."""
    scores = torch.zeros(*features.shape[:2], centroids.shape[1], dtype=torch.float64)
    for n in range(features.shape[0]):
        for a in range(features.shape[1]):
            near = sorted(
                (float(distance(unit(features[n, a]), centroids[a, c, m])), c)
                for c in range(filled.shape[1])
                for m in range(filled.shape[2])
                if filled[a, c, m]
            )[:neighbours]
            for c in range(filled.shape[1]):
                other = min([d for d, label in near if label != c], default=4.0)
                scores[n, a, c] = other - max([d for d, label in near if label == c], default=9.0)
    return scores


@given(batches(), st.integers(1, 4), st.sampled_from([MARGINS, (0.5, 1.0, 2.0)]))
def test_loss_gradient_and_quintuplets_are_the_literal_loop(batch, kinds, margins):
    labels, logits = batch["labels"], batch["logits"]
    features = batch["features"].requires_grad_()
    index = torch.randperm(len(labels), generator=batch["generator"])
    clusters = torch.randint(kinds, labels.shape, generator=batch["generator"])
    criterion = clustered(batch["class_counts"], clusters[index.argsort()], margins=margins)
    ours = criterion(logits, features, labels, index)
    literal, numbers = literal_loss(features, labels, clusters, margins)
    torch.testing.assert_close(ours, literal)
    assert criterion.parts["quintuplets"].tolist() == numbers
    gradients = [torch.autograd.grad(x, features)[0] for x in (ours, literal)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-8)


@given(batches(), st.sampled_from([1, 2, 3, 10, 100]))
def test_scores_are_the_literal_loop_and_finite(batch, neighbours):
    features, generator = batch["features"], batch["generator"]
    criterion = clustered(
        batch["class_counts"], batch["labels"], max_clusters=3, neighbours=neighbours
    )
    shape = criterion.centroids.shape
    centroids = torch.randn(shape, generator=generator).double()  # to the ball of radius 1
    criterion.centroids = centroids / centroids.norm(dim=3, keepdim=True).clamp(min=1)
    criterion.filled = torch.rand(shape[:3], generator=generator) < 0.6
    ours = criterion.margins_of(features)
    assert ours.isfinite().all()
    literal = literal_scores(features, criterion.centroids, criterion.filled, neighbours)
    torch.testing.assert_close(ours, literal)


def test_the_hinge_of_one_quintuplet_by_hand():
    """Angles on the circle; D = 2 - 2 cos. Only sample 0 has a partner in its own cluster that
    is not itself: 0 and 1 are a cluster, 2 and 3 are clusters of one, 4 is the other class."""
    angles = torch.tensor([0.0, 10, 20, 40, 90]).deg2rad()
    features = (7 * torch.stack([angles.cos(), angles.sin()], 1)).unsqueeze(1)  # any length
    labels = torch.tensor([[0], [0], [0], [0], [1]])
    criterion = clustered(torch.tensor([[4, 1]]), torch.tensor([[0], [0], [1], [2], [0]]))
    loss = criterion(torch.zeros(5, 1, 2), features, labels, torch.arange(5))

    def hinges(angles):  # of p+, p-, p-- and n
        d = [2 - 2 * math.cos(math.radians(x)) for x in angles]
        return sum(max(0, MARGINS[i] + d[i] - d[i + 1]) for i in range(3))

    expected = (hinges([10, 20, 40, 90]) + hinges([10, 10, 30, 80])) / 2  # anchors 0 and 1
    torch.testing.assert_close(loss.item(), expected, rtol=1e-5, atol=1e-6)
    assert criterion.parts["quintuplets"].tolist() == [2]


def test_classes_have_equal_shares_whatever_their_sizes():
    """Features all coincide, so each anchor's hinges sum to 0.7 and so does the loss."""
    labels = torch.tensor([0] * 12 + [1] * 4)[:, None]
    clusters = (torch.arange(16) % 2)[:, None]
    features = torch.ones(16, 1, 4, requires_grad=True)
    criterion = clustered(torch.tensor([[12, 4]]), clusters)
    loss = criterion(torch.zeros(16, 1, 2), features, labels, torch.arange(16))
    loss.backward()
    torch.testing.assert_close(loss.item(), 0.7)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize(
    ("labels", "clusters", "why"),
    [
        ([0, 0, 0, 0], [0, 0, 1, 1], "one class alone"),
        ([0, 0, 1, 1], [0, 0, 0, 0], "one cluster a class"),
        ([0, 0, 1, 1], [0, 1, 0, 1], "clusters of one sample"),
        ([1], [0], "one sample"),
        ([], [], "an empty batch"),
    ],
)
def test_no_quintuplet_gives_zero_with_a_graph(labels, clusters, why):
    size = len(labels)
    labels = torch.tensor(labels, dtype=torch.long)[:, None]
    clusters = torch.tensor([*clusters, 0])[:, None]  # a training set is never empty
    features = torch.randn(size, 1, 4, requires_grad=True)
    criterion = clustered(torch.tensor([[2, 2]]), clusters)
    loss = criterion(torch.zeros(size, 1, 2), features, labels, torch.arange(size))
    loss.backward()
    assert loss == 0, why
    assert (features.grad == 0).all()
    assert criterion.parts["quintuplets"].tolist() == [0]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_coinciding_features_give_a_finite_gradient(value):
    features = torch.full((8, 2, 4), value, requires_grad=True)
    labels = (torch.arange(8) % 2)[:, None].expand(-1, 2)
    criterion = clustered(torch.tensor([[4, 4]] * 2), torch.arange(8)[:, None].expand(-1, 2) // 4)
    loss = criterion(torch.zeros(8, 2, 2), features, labels, torch.arange(8))
    loss.backward()
    torch.testing.assert_close(loss.item(), 2 * 0.7)
    assert features.grad.isfinite().all()


def test_the_loss_is_the_metric_alone_and_reaches_features_alone():
    features = torch.randn(16, 1, 4, requires_grad=True)
    logits = torch.zeros(16, 1, 2, requires_grad=True)
    labels = (torch.arange(16) % 2)[:, None]
    criterion = clustered(torch.tensor([[8, 8]]), torch.arange(16)[:, None] // 4)
    assert criterion.parts == {}
    loss = criterion(logits, features, labels, torch.arange(16))
    loss.backward()
    parts = criterion.parts
    assert loss == parts["metric"]
    torch.testing.assert_close(parts["classification"].item(), math.log(2))
    assert not any(value.requires_grad for value in parts.values())
    assert logits.grad is None
    assert features.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_floating_type_works(dtype):
    features, labels = blobs()
    features = features.to(dtype).requires_grad_()
    criterion = LMLE(torch.tensor([[20, 20]]), 10, cluster_size=5)
    criterion.recluster(features, labels)
    criterion(torch.zeros(40, 1, 2).to(dtype), features, labels, torch.arange(40)).backward()
    assert features.grad.dtype is dtype
    assert features.grad.isfinite().all()
    assert criterion.margins_of(features).isfinite().all()


def test_a_step_down_the_gradient_lowers_the_loss():
    features, labels = torch.randn(60, 2, 8), torch.randint(2, (60, 2))
    features.requires_grad_()
    criterion = LMLE(torch.tensor([[30, 30]] * 2), 10, cluster_size=10)
    criterion.recluster(features, labels)
    optimiser = torch.optim.SGD([features], lr=1.0)
    losses = []
    for _ in range(50):
        loss = criterion(torch.zeros(60, 2, 2), features, labels, torch.arange(60))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


# Clusters -----------------------------------------------------------------------------------


def blobs(flip=1.0):
    """Class 0 around two opposite directions, class 1 around two others: (40, 1, 8), (40, 1)."""
    centre = flip * torch.eye(8)[:4].repeat_interleave(10, 0)
    noise = 0.05 * torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
    return (centre + noise).unsqueeze(1), (torch.arange(40) // 20)[:, None]


@pytest.mark.parametrize("neighbours", [1, 2, 4, 10])
def test_recluster_finds_the_blobs_and_scores_tell_the_classes(neighbours):
    features, labels = blobs()
    criterion = LMLE(torch.tensor([[20, 20]]), 10, neighbours=neighbours)
    criterion.recluster(features, labels)
    blob = criterion.clusters.view(4, 10)
    assert (blob == blob[:, :1]).all()
    assert blob[0, 0] != blob[1, 0]
    assert blob[2, 0] != blob[3, 0]
    assert criterion.filled.sum(2).tolist() == [[2, 2]]
    assert (criterion.margins_of(features).argmax(2) == labels).all()
    assert len(criterion.clustering_seconds) == 1
    assert criterion.clustering_seconds[0] > 0


def test_each_sample_has_the_nearest_centroid_of_its_class():
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(300, 3, 8, generator=generator)
    labels = torch.randint(3, (300, 3), generator=generator)
    criterion = LMLE(torch.full((3, 3), 100), 10, cluster_size=20)
    criterion.recluster(features, labels)
    for n in range(300):
        for a in range(3):
            k, x = int(criterion.clusters[n, a]), unit(features[n, a])
            own = criterion.centroids[a, labels[n, a]][criterion.filled[a, labels[n, a]]]
            assert (distance(x, own[k]) - (own - x).square().sum(1).min()).abs() < 1e-5


def test_recluster_is_the_same_for_a_seed_and_another_for_another():
    features, labels = torch.randn(400, 2, 8), torch.randint(2, (400, 2))
    found = []
    for seed in (0, 0, 1):
        criterion = LMLE(torch.full((2, 2), 200), 10, cluster_size=20, seed=seed)
        criterion.recluster(features, labels)
        found.append(criterion)
    assert torch.equal(found[0].clusters, found[1].clusters)
    assert torch.equal(found[0].centroids, found[1].centroids)
    assert not torch.equal(found[0].centroids, found[2].centroids)


def test_numbers_of_clusters_follow_the_size_of_the_class():
    labels = torch.cat([torch.zeros(1), torch.ones(5), torch.full((41,), 2), torch.full((99,), 3)])
    labels = labels.long()[:, None]
    criterion = LMLE(torch.tensor([[1, 5, 41, 99, 7]]), 10, cluster_size=10, max_clusters=8)
    criterion.recluster(torch.randn(len(labels), 1, 4), labels)
    # a class of one sample; at least two; 41 / 10 rounded up; at most max_clusters; an absent class
    assert criterion.filled.sum(2).tolist() == [[1, 2, 5, 8, 0]]
    scores = criterion.margins_of(torch.randn(50, 1, 4))
    assert scores.isfinite().all()
    assert (scores.argmax(2) != 4).all()
    assert (scores[..., 4] < scores[..., :4].amax(2)).all()


def test_coinciding_samples_can_be_clustered():
    labels = (torch.arange(30) % 2)[:, None]
    criterion = LMLE(torch.tensor([[15, 15]]), 10, cluster_size=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        criterion.recluster(torch.ones(30, 1, 4), labels)
    scores = criterion.margins_of(torch.ones(2, 1, 4))
    assert scores.isfinite().all()
    assert scores.argmax(2).tolist() == [[0], [0]]  # a tie: the lower class


def test_more_queries_than_a_chunk_score_as_each_alone():
    features, labels = blobs()
    criterion = LMLE(torch.tensor([[20, 20]]), 10)
    criterion.recluster(features, labels)
    many = features.repeat(60, 1, 1)
    alone = criterion.margins_of(features).repeat(60, 1, 1)
    torch.testing.assert_close(criterion.margins_of(many), alone)
    assert criterion.margins_of(features[:0]).shape == (0, 1, 2)


@pytest.mark.parametrize(("scoring", "clusterings"), [(True, 5), (False, 4)])
def test_the_training_set_is_clustered_once_between_two_epochs(scoring, clusterings):
    features, labels = blobs()
    criterion, looks = LMLE(torch.tensor([[20, 20]]), 4, warm_up=0.5), []

    def look():
        looks.append(criterion.epoch)
        return features, labels

    for epoch in range(4):
        criterion.set_epoch(epoch)
        criterion.before_epoch(epoch, look)
        criterion(torch.zeros(40, 1, 2), features, labels, torch.arange(40))
        if scoring:
            criterion.before_scoring(look)
    assert len(looks) == len(criterion.clustering_seconds) == clusterings


def test_state_dict_carries_the_clusters():
    features, labels = blobs()
    criterion = LMLE(torch.tensor([[20, 20]]), 10)
    blank = copy.deepcopy(criterion)
    blank.load_state_dict(criterion.state_dict())  # before the first clustering
    criterion.recluster(features, labels)
    file = io.BytesIO()
    torch.save(criterion.state_dict(), file)
    file.seek(0)
    blank.load_state_dict(torch.load(file, weights_only=True))
    batch = torch.zeros(40, 1, 2), features.flip(2), labels, torch.arange(40)
    assert blank(*batch) == criterion(*batch)
    assert torch.equal(blank.margins_of(features), criterion.margins_of(features))
    assert blank.clustering_seconds == criterion.clustering_seconds
    blank.recluster(-features, labels)  # leaves the one it was loaded from alone
    assert len(criterion.clustering_seconds) == 1
    assert (criterion.margins_of(features).argmax(2) == labels).all()
    with pytest.raises(ValueError, match=r"\(1, 2, 16\), this criterion's \(1, 2, 4\)"):
        LMLE(torch.tensor([[20, 20]]), 10, max_clusters=4).load_state_dict(criterion.state_dict())


# Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"margins": (0.2, 0.2, 0.4)}, r"grow from above 0, got \(0.2, 0.2, 0.4\)"),
        ({"margins": (0, 0.2, 0.4)}, "margins"),
        ({"margins": (0.1, 0.2)}, "three"),
        ({"margins": 0.1}, "margins must be three that grow from above 0, got 0.1"),
        ({"margins": "abc"}, "three .* got 'abc'"),
        ({"margins": (0.1, 0.2, float("nan"))}, "margins"),
        ({"cluster_size": 0}, "cluster_size .*got 0"),
        ({"max_clusters": 1}, r"max_clusters must be a whole number in 2 \.\.\. 256, got 1"),
        ({"max_clusters": 257}, "got 257"),
        ({"neighbours": 0}, "neighbours .*got 0"),
        ({"neighbours": True}, "got True"),
        ({"seed": -1}, "seed .*got -1"),
        ({"class_counts": torch.tensor([[3, 0]])}, "class 1 of attribute 0 has 0"),
    ],
)
def test_impossible_arguments_are_named(options, names):
    with pytest.raises(ValueError, match=names):
        LMLE(**{"class_counts": torch.tensor([[1, 1]]), "epochs": 10} | options)


def test_an_epoch_outside_the_training_is_named():
    criterion = LMLE(torch.tensor([[1, 1]]), 10)
    criterion.set_epoch(10)
    with pytest.raises(ValueError, match=r"\[0, 10\], got 11"):
        criterion.set_epoch(11)


def test_use_before_the_first_clustering_says_what_to_do():
    criterion = LMLE(torch.tensor([[1, 1]]), 10)
    with pytest.raises(RuntimeError, match="call recluster"):
        criterion.margins_of(torch.zeros(2, 1, 4))
    labels = torch.zeros(2, 1, dtype=torch.long)
    with pytest.raises(RuntimeError, match="call recluster"):
        criterion(torch.zeros(2, 1, 2), torch.zeros(2, 1, 4), labels, torch.arange(2))


def test_shapes_that_do_not_fit_are_named():
    features, labels = blobs()
    logits, index = torch.zeros(40, 1, 2), torch.arange(40)
    criterion = LMLE(torch.tensor([[20, 20]]), 10)
    with pytest.raises(ValueError, match="0 samples"):
        criterion.recluster(features[:0], labels[:0])
    criterion.recluster(features, labels)
    with pytest.raises(ValueError, match=r"features must be .*\(40, 8\) and \(40, 1\)"):
        criterion(logits, features[:, 0], labels, index)
    with pytest.raises(ValueError, match=r"rows must be integers \(40,\).*\(39,\)"):
        criterion(logits, features, labels, index[1:])
    with pytest.raises(ValueError, match=r"rows must lie in 0 \.\.\. 39, .* got 40"):
        criterion(logits, features, labels, index + 1)
    with pytest.raises(ValueError, match=r"\(batch, 1, 8\) as clustered, got shape \(40, 1, 7\)"):
        criterion.margins_of(features[..., 1:])
    with pytest.raises(ValueError, match="features must be a tensor, got a list"):
        criterion.margins_of(features.tolist())
    with pytest.raises(ValueError, match="features must be a tensor, got a numpy.ndarray"):
        criterion.recluster(features.numpy(), labels)
    features[7] = torch.nan
    with pytest.raises(ValueError, match="of sample 7, attribute 0 are not: the training has div"):
        criterion.recluster(features, labels)
    labels[7] = -1  # in no cluster
    criterion.recluster(features, labels)


def test_without_a_seed_it_begins_from_torchs_generator():
    features, labels = torch.randn(400, 1, 8), torch.randint(2, (400, 1))
    found = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        criterion = LMLE(torch.tensor([[200, 200]]), 10, cluster_size=20, seed=None)
        criterion.recluster(features, labels)
        found.append(criterion.clusters)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_the_warm_up_trains_cross_entropy_and_then_the_quintuplets():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(12, 2, 2, generator=generator, requires_grad=True)
    features = torch.randn(12, 2, 4, generator=generator, requires_grad=True)
    labels = (torch.arange(12)[:, None] % 2).expand(12, 2)
    criterion = LMLE(torch.tensor([[6, 6], [6, 6]]), 10, cluster_size=2, warm_up=0.5)
    criterion.recluster(features.detach(), labels)
    index = torch.arange(12)
    criterion.set_epoch(4)
    loss = criterion(logits, features, labels, index)
    torch.testing.assert_close(loss, dsl_loss(logits, labels))
    assert set(criterion.parts) == {"classification"}
    criterion.set_epoch(5)
    loss = criterion(logits, features, labels, index)
    assert torch.autograd.grad(loss, logits, allow_unused=True)[0] is None
    assert "metric" in criterion.parts
    with pytest.raises(ValueError, match=r"warm_up must lie in \[0, 1\), got 1"):
        LMLE(torch.tensor([[6, 6]]), 10, warm_up=1)


@given(batches())
def test_random_partners_qualify_and_the_nearer_of_two_is_the_second(batch):
    labels = batch["labels"]
    clusters = torch.randint(0, 3, labels.shape, generator=batch["generator"])
    x = torch.nn.functional.normalize(batch["features"], dim=2).transpose(0, 1)
    partners, valid = find_partners(x, labels, clusters, how="random", generator=batch["generator"])
    _, expected = find_partners(x, labels, clusters, how="hard")
    assert torch.equal(valid, expected)
    for a, b in valid.nonzero().tolist():
        positive, near, far, negative = partners[a, b].tolist()
        y, k = labels[:, a], clusters[:, a]
        assert positive != b
        assert (y[positive], k[positive]) == (y[b], k[b])
        for other in (near, far):
            assert y[other] == y[b]
            assert k[other] != k[b]
        assert y[negative] != y[b]
        apart = [(x[a, b] - x[a, other]).square().sum() for other in (near, far)]
        assert apart[0] <= apart[1] + 1e-12
