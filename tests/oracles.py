"""Oracles: literal, slow float64 code that the tests hold `dcl` against.

The paper's equations are those of `dcl.reference`, which shares nothing with the code it tests;
here they are summed over attributes, and varied where `dcl` has a switch. The other methods are
written from their papers, as literal loops.
Axes: B batch, A attributes, C classes of a task, D feature width.
logits (B, A, C), features (B, A, D), weights (B, A), labels (B, A) ints, class_counts (A, C).
"""

import math

import torch

from dcl import reference

# Scheduler functions ------------------------------------------------------------------------


def schedule(name, epoch, epochs, decay=0.99):
    """SF(l) by its name."""
    decays = (decay,) if name == "concave" else ()
    return getattr(reference, name)(epoch, epochs, *decays)


# Sampling scheduler -------------------------------------------------------------------------


def target_distribution(class_counts_row, g, normalisation="proportion", rule="power"):
    """D_target of one attribute, list of C."""
    if (normalisation, rule) == ("proportion", "power"):
        return reference.target_distribution(torch.tensor(class_counts_row), g).tolist()
    counts = [float(count) for count in class_counts_row]
    d_train = [count / min(counts) for count in counts]  # D = 1 : #C_1/#C_min : ... (Sec. 3.2)
    d_target = [d**g if rule == "power" else 1 + g * (d - 1) for d in d_train]  # Table 4, row *
    whole = sum(d_target) if normalisation == "proportion" else min(d_target)
    return [d / whole for d in d_target]


def current_distribution(labels_column, classes, normalisation="proportion"):
    """D_current of one attribute in this batch, list of C; 0 for an absent class."""
    labels = [int(label) for label in labels_column if int(label) >= 0]  # known ones
    counts = [labels.count(c) for c in range(classes)]  # N_j
    if normalisation == "proportion":
        return [count / max(1, len(labels)) for count in counts]
    if normalisation == "minority":
        smallest = min(count for count in counts if count > 0)
        return [count / smallest for count in counts]
    raise ValueError(f"no such normalisation: {normalisation!r}")


def class_weights(labels_column, class_counts_row, g, normalisation="proportion", rule="power"):
    """Per class (ratio, kept, weight): `kept` samples on average weigh `weight`, the rest 0."""
    labels = [int(label) for label in labels_column]
    target = target_distribution(class_counts_row, g, normalisation, rule)
    current = current_distribution(labels, len(target), normalisation)
    if normalisation == "minority":  # both over their smallest element among the classes present
        smallest = min(target[j] for j in range(len(target)) if current[j] > 0)
        target = [t / smallest for t in target]
    result = []
    for j in range(len(target)):
        n_j = labels.count(j)
        if n_j == 0:
            result.append((None, 0, 0.0))
            continue
        ratio = target[j] / current[j]
        if ratio >= 1:
            result.append((ratio, n_j, ratio))  # Eq. 7, first case
        else:
            result.append((ratio, ratio * n_j, 1.0))  # Eq. 7, second case: so many on average
    return result


def expected_weights(labels_column, class_counts_row, g, normalisation="proportion", rule="power"):
    """The mean of Eq. 7 over its random choice, but for rounding: every sample weighs its ratio."""
    if (normalisation, rule) == ("proportion", "power"):
        counts = torch.tensor(class_counts_row)
        return reference.dsl_weights(labels_column, counts, g, selection="expected").tolist()
    per_class = class_weights(labels_column, class_counts_row, g, normalisation, rule)
    return [per_class[int(label)][0] if int(label) >= 0 else 0.0 for label in labels_column]


def check_random_weights(
    weights_column,
    labels_column,
    class_counts_row,
    g,
    normalisation="proportion",
    rule="power",
    tolerance=1e-6,
):
    """Assert that these weights are one of the outcomes that Eq. 7 allows.

    `tolerance` is relative for a ratio >= 1 (weights may be float32). Of ratio * N_j samples the
    floor or the next whole number is kept; within `tolerance` of a whole number just that.
    """
    labels = [int(label) for label in labels_column]
    weights = [float(weight) for weight in weights_column]
    assert len(weights) == len(labels), f"{len(weights)} weights for {len(labels)} samples"
    per_class = class_weights(labels, class_counts_row, g, normalisation, rule)
    for j in range(len(per_class)):
        ratio, kept, _ = per_class[j]
        mine_j = [weights[i] for i in range(len(labels)) if labels[i] == j]
        if ratio is None:
            continue
        if ratio >= 1 or math.isclose(ratio, 1, rel_tol=tolerance):
            for w in mine_j:  # Eq. 7, first case
                message = f"class {j}: weight {w}, but the ratio {ratio} >= 1 is every weight"
                assert math.isclose(w, ratio, rel_tol=tolerance), message
            continue
        ones = mine_j.count(1.0)  # Eq. 7, second case
        zeros = mine_j.count(0.0)
        others = [w for w in mine_j if w not in (0.0, 1.0)]
        assert not others, f"class {j}: weights {others[:5]} are neither 0 nor 1 (ratio {ratio})"
        wanted = kept
        allowed = {math.floor(wanted + tolerance), math.ceil(wanted - tolerance)}
        message = f"class {j}: kept {ones} of {ones + zeros}, Eq. 7 keeps {allowed} ({wanted})"
        assert ones in allowed, message


# Classification losses ----------------------------------------------------------------------


def log_sum_exp(scores):
    """log of the sum of exp of a list of scalar tensors."""
    largest = max(score.item() for score in scores)
    total = 0.0
    for score in scores:
        total = total + torch.exp(score - largest)
    return largest + torch.log(total)


def negative_log_likelihood(scores, label):
    """-log p(y = label) of one sample's list of C scores."""
    return log_sum_exp(scores) - scores[label]


def probabilities(logits, a):
    """Softmax of attribute a as a (B x C) list of floats, without a graph."""
    rows = []
    for i in range(len(logits)):
        scores = logits[i][a].tolist()
        exps = [math.exp(score - max(scores)) for score in scores]
        rows.append([e / sum(exps) for e in exps])
    return rows


def sample_weights(weights, labels):
    """Weights of classes (A x C) to weights of samples (B x A), for `dsl_loss`."""
    return [[weights[a][int(row[a])] for a in range(len(row))] for row in labels]


def dsl_loss(logits, labels, weights):
    """L_DSL (Eq. 6), summed over attributes."""
    weights = torch.as_tensor(weights)
    return sum(
        reference.dsl_loss(logits[:, a], labels[:, a], weights[:, a])
        for a in range(logits.shape[1])
    )


# Triplet loss with easy anchors -------------------------------------------------------------


def hinges(
    features,
    logits,
    labels,
    k=25,
    margin=0.2,
    anchors="easy",
    normalise=True,
    squared=False,
    reduction="all",
    rho=0.5,
):
    """The terms that the loss of each attribute is the mean of, list of A."""

    def distance(x, y):
        if normalise:
            x, y = torch.nn.functional.normalize(x), torch.nn.functional.normalize(y)
        if squared:
            return (x - y).square().sum(1)
        return torch.linalg.vector_norm(x - y, dim=1)

    terms = [
        reference.hinges(
            *(x[:, a] for x in (features, logits, labels)),
            k=k,
            margin=margin,
            rho=rho,
            anchors=anchors,
            d=reference.distance if normalise and not squared else distance,
        )
        for a in range(labels.shape[1])
    ]
    return terms if reduction == "all" else [x[x > 0] for x in terms]


def triplet_loss(features, logits, labels, **options):
    """L_TEA (Eq. 9), or L_crl (Eq. 8) with anchors="all", summed over attributes."""
    terms = hinges(features, logits, labels, **options)
    return sum(x.sum() / max(1, len(x)) for x in terms)


# Other methods ------------------------------------------------------------------------------


def cost_sensitive_weights(class_counts_row):
    """He and Garcia 2009, the paper's [18]: w_c ~ 1 / n_c, mean weight over the training set 1."""
    counts = [float(count) for count in class_counts_row]
    inverse = [1 / n for n in counts]
    mean = sum(n * w for n, w in zip(counts, inverse, strict=True)) / sum(counts)
    return [w / mean for w in inverse]


def class_balanced_weights(class_counts_row, beta=0.9999):
    """Cui et al. 2019, the paper's [7]: w_c ~ (1 - beta) / (1 - beta^n_c), sum over classes C."""
    raw = [(1 - beta) / (1 - beta ** float(n)) for n in class_counts_row]
    return [w * len(raw) / sum(raw) for w in raw]


def focal_loss(logits, labels, gamma=2):
    """Lin et al. 2017: -(1 - p_t)^gamma log p_t, without alpha."""
    batch, attributes, _ = logits.shape
    loss = 0.0 * logits.sum()
    for a in range(attributes):
        for i in range(batch):
            nll = negative_log_likelihood(list(logits[i, a]), int(labels[i][a]))
            loss = loss + (1 - torch.exp(-nll)) ** gamma * nll / batch
    return loss


def logit_adjusted_loss(logits, labels, class_counts, tau=1):
    """Menon et al. 2021: cross entropy of logits + tau * log of the training prior."""
    batch, attributes, classes = logits.shape
    loss = 0.0 * logits.sum()
    for a in range(attributes):
        counts = [float(count) for count in class_counts[a]]
        for i in range(batch):
            scores = []
            for c in range(classes):
                scores.append(logits[i, a, c] + tau * math.log(counts[c] / sum(counts)))
            loss = loss + negative_log_likelihood(scores, int(labels[i][a])) / batch
    return loss


def moved_threshold(logits, class_counts):
    """C = 2: positive iff p(1) exceeds the training prior of class 1; (B x A) list of ints."""
    predictions = [[] for _ in range(len(logits))]
    for a in range(len(class_counts)):
        prior = float(class_counts[a][1]) / (float(class_counts[a][0]) + float(class_counts[a][1]))
        p = probabilities(logits, a)
        for i in range(len(p)):
            predictions[i].append(1 if p[i][1] > prior else 0)
    return predictions


def pos_weight_loss(logits, labels, class_counts):
    """C = 2: torch's BCEWithLogitsLoss(pos_weight=(1-p)/p) on z = logit1 - logit0."""
    batch, attributes, _ = logits.shape
    loss = 0.0 * logits.sum()
    for a in range(attributes):
        p = float(class_counts[a][1]) / (float(class_counts[a][0]) + float(class_counts[a][1]))
        for i in range(batch):
            z = logits[i, a, 1] - logits[i, a, 0]
            log_one_plus_exp_z = log_sum_exp([0.0 * z, z])
            log_positive = z - log_one_plus_exp_z  # log sigmoid(z)
            log_negative = -log_one_plus_exp_z  # log (1 - sigmoid(z))
            y = int(labels[i][a])
            loss = loss - ((1 - p) / p * y * log_positive + (1 - y) * log_negative) / batch
    return loss


def ldam_loss(logits, labels, class_counts, max_m=0.5, scale=30):
    """Cao et al. 2019 (LDAM): true class's logit less its margin ~ n_j^(-1/4), times scale."""
    batch, attributes, classes = logits.shape
    loss = 0.0 * logits.sum()
    for a in range(attributes):
        rarity = [float(n) ** (-1 / 4) for n in class_counts[a]]
        margins = [max_m * r / max(rarity) for r in rarity]
        for i in range(batch):
            y = int(labels[i][a])
            scores = []
            for c in range(classes):
                margin = margins[c] if c == y else 0.0
                scores.append(scale * (logits[i, a, c] - margin))
            loss = loss + negative_log_likelihood(scores, y) / batch
    return loss
