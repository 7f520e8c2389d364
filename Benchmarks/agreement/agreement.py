#!/usr/bin/env python3
# What scikit-learn, SciPy and statsmodels say of predictions on real tables, for the tests to compare with.
# SPDX-License-Identifier: Apache-2.0
"""Trains simple models on the tables below $PIPE_REAL_DATA and writes one folder a case:

    OUT/CASE/current.csv, reference.csv   two models' predictions for the same rows
    OUT/CASE/case.json                    every metric, interval and test as the libraries compute them

    python3 -m venv /tmp/ml && /tmp/ml/bin/pip install scikit-learn scipy statsmodels pandas
    PIPE_REAL_DATA=… /tmp/ml/bin/python Benchmarks/agreement/agreement.py OUT
    PIPE_REAL_DATA=… PIPE_REAL_AGREEMENT=OUT swift test --filter AgreementTests
"""
import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import linear_model, metrics as m
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

warnings.filterwarnings("ignore")
DATA = os.environ["PIPE_REAL_DATA"]
OUT = sys.argv[1]


def read(name):
    return pd.read_csv(os.path.join(DATA, name))


def write(name, task, tables, said):
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    for part, table in zip(("current", "reference"), tables):
        table.to_csv(os.path.join(folder, part + ".csv"), index=False)
    said = {"task": task, **said}
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(said, file, indent=1, sort_keys=True, default=float)
    print(f"{name}: {len(tables[0])} rows, {len(said['metrics'])} metrics")


def wilson(hits, rows):
    return list(proportion_confint(int(hits), int(rows), 0.05, "wilson"))


def cross(a, b):
    return {
        "paired t": stats.ttest_rel(a, b).pvalue,
        "Wilcoxon signed-rank": stats.wilcoxon(a, b, correction=False, method="asymptotic").pvalue,
    }


# Regression


def regression_metrics(t, p, low, high, w, within=5.0):
    a = {"sample_weight": w}
    error = p - t
    w1 = np.ones(len(t)) if w is None else w
    size = abs(t) + abs(p)
    result = {
        "mae": m.mean_absolute_error(t, p, **a), "rmse": m.root_mean_squared_error(t, p, **a),
        "r2": m.r2_score(t, p, **a), "explained_variance": m.explained_variance_score(t, p, **a),
        "median_ae": m.median_absolute_error(t, p, **a), "bias": np.average(error, weights=w1),
        "smape": np.average(np.divide(2 * abs(error), size, out=np.zeros(len(t)), where=size > 0), weights=w1),
        "within_5": np.average(abs(error) <= within, weights=w1),
        "coverage_90": np.average((low <= t) & (t <= high), weights=w1),
        "interval_width": np.average(high - low, weights=w1),
        "pinball_5": m.mean_pinball_loss(t, low, alpha=0.05, **a), "pinball_95": m.mean_pinball_loss(t, high, alpha=0.95, **a),
    }
    if (t != 0).all():
        result["mape"] = m.mean_absolute_percentage_error(t, p, **a)
    if (t > -1).all() and (p > -1).all():
        result["rmsle"] = m.root_mean_squared_log_error(t, p, **a)
    return result


def deliveries():
    data = read("modeldata_deliveries.csv.gz")
    y = data.time_to_delivery.to_numpy()
    x = pd.get_dummies(data.drop(columns="time_to_delivery")).to_numpy(float)
    cut = len(y) * 4 // 5
    p = linear_model.Ridge().fit(x[:cut], y[:cut]).predict(x[cut:])
    q = linear_model.LinearRegression().fit(x[:cut, :2], y[:cut]).predict(x[cut:, :2])
    t = y[cut:]
    for name, weights in (("deliveries", None), ("deliveries-weighted", np.round(1 + x[cut:, 1], 3))):
        tables = []
        for values in (p, q):
            table = pd.DataFrame({"id": np.arange(len(t)), "y_true": t, "y_pred": values, "y_low": values - 3, "y_high": values + 3.5})
            if weights is not None:
                table["weight"] = weights
            tables.append(table)
        said = {"within": 5, "metrics": regression_metrics(t, p, p - 3, p + 3.5, weights)}
        if weights is None:
            said["intervals"] = {
                "within_5": wilson((abs(p - t) <= 5).sum(), len(t)),
                "coverage_90": wilson(((p - 3 <= t) & (t <= p + 3.5)).sum(), len(t)),
            }
            said["crossChecks"] = {"mae": cross(abs(p - t), abs(q - t)), "rmse": cross((p - t) ** 2, (q - t) ** 2)}
        write(name, "regression", tables, said)


# Two classes


def components(y, s):
    """Mann-Whitney components by all pairs: DeLong's definition, nothing clever."""
    positive, negative = s[y == 1], s[y == 0]
    v10 = np.array([((negative < a).sum() + 0.5 * (negative == a).sum()) / len(negative) for a in positive])
    v01 = np.array([((positive > a).sum() + 0.5 * (positive == a).sum()) / len(positive) for a in negative])
    return v10.mean(), v10, v01


def delong_error(v10, v01):
    return (np.var(v10, ddof=1) / len(v10) + np.var(v01, ddof=1) / len(v01)) ** 0.5


def calibration_error(y, s, w):
    w = np.ones(len(y)) if w is None else w
    bins = np.minimum(9, (s * 10).astype(int))
    return sum(abs((w * s)[bins == b].sum() - (w * y)[bins == b].sum()) for b in range(10)) / w.sum()


def binary_metrics(y, s, threshold, w):
    a = {"sample_weight": w}
    d = (s >= threshold).astype(int)
    return {
        "auc": m.roc_auc_score(y, s, **a), "average_precision": m.average_precision_score(y, s, **a),
        "log_loss": m.log_loss(y, s, **a), "brier": m.brier_score_loss(y, s, **a), "ece": calibration_error(y, s, w),
        "accuracy": m.accuracy_score(y, d, **a), "balanced_accuracy": m.balanced_accuracy_score(y, d, **a),
        "precision": m.precision_score(y, d, **a), "recall": m.recall_score(y, d, **a),
        "specificity": m.recall_score(1 - y, 1 - d, **a), "f1": m.f1_score(y, d, **a), "mcc": m.matthews_corrcoef(y, d, **a),
    }


def credit():
    data = read("uci_credit_default.csv.gz")
    y = data.Y.to_numpy()
    x = data.drop(columns=["ID", "Y"]).to_numpy(float)
    cut = 24_000
    s = HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(x[:cut], y[:cut]).predict_proba(x[cut:])[:, 1]
    r = make_pipeline(StandardScaler(), linear_model.LogisticRegression(max_iter=500)).fit(x[:cut], y[:cut]).predict_proba(x[cut:])[:, 1]
    # Rounding makes ties.
    r = np.round(r, 3)
    t = y[cut:]
    # Threshold 0.37: nothing that an implementation could take for granted.
    threshold = 0.37
    for name, weights in (("credit", None), ("credit-weighted", np.round(np.sqrt(x[cut:, 0] / 1e4), 3))):
        tables = []
        for values in (s, r):
            table = pd.DataFrame({"id": data.ID.to_numpy()[cut:], "y_true": t, "y_score": values})
            if weights is not None:
                table["weight"] = weights
            tables.append(table)
        said = {"threshold": threshold, "metrics": binary_metrics(t, s, threshold, weights)}
        if weights is None:
            d, e = s >= threshold, r >= threshold
            area, v10, v01 = components(t, s)
            other, w10, w01 = components(t, r)
            reach = stats.norm.ppf(0.975) * delong_error(v10, v01)
            z = (area - other) / delong_error(v10 - w10, v01 - w01)
            said["intervals"] = {
                "auc": [area - reach, area + reach], "accuracy": wilson((d == t).sum(), len(t)),
                "precision": wilson((d & (t == 1)).sum(), d.sum()), "recall": wilson((d & (t == 1)).sum(), (t == 1).sum()),
                "specificity": wilson((~d & (t == 0)).sum(), (t == 0).sum()),
            }
            right, other_right = d == t, e == t
            pairs = [[(right & other_right).sum(), (right & ~other_right).sum()], [(~right & other_right).sum(), (~right & ~other_right).sum()]]
            said["tests"] = {"accuracy": mcnemar(pairs, exact=True).pvalue, "auc": 2 * stats.norm.sf(abs(z))}
            clip = lambda values: np.clip(np.where(t == 1, values, 1 - values), np.finfo(float).eps, 1 - np.finfo(float).eps)
            said["crossChecks"] = {
                "log_loss": cross(-np.log(clip(s)), -np.log(clip(r))), "brier": cross((s - t) ** 2, (r - t) ** 2),
            }
        write(name, "binary", tables, said)


# Several classes


def multiclass_metrics(t, q, scores, labels, w, k):
    a = {"sample_weight": w}
    result = {
        "accuracy": m.accuracy_score(t, q, **a), "balanced_accuracy": m.balanced_accuracy_score(t, q, **a),
        "kappa": m.cohen_kappa_score(t, q, **a), "mcc": m.matthews_corrcoef(t, q, **a),
        "log_loss": m.log_loss(t, scores, labels=labels, **a),
        "auc_ovr": m.roc_auc_score(t, scores, multi_class="ovr", average="macro", labels=labels, **a),
        f"top_{k}": m.top_k_accuracy_score(t, scores, k=k, labels=labels, **a),
    }
    for mean in ("macro", "micro", "weighted"):
        for key, score in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
            result[f"{key}_{mean}"] = score(t, q, average=mean, zero_division=0, **a)
    return result


def several(name, x, y, weights, k):
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    weights = None if weights is None else weights[order]
    cut = len(y) // 2
    models = [HistGradientBoostingClassifier(max_iter=20, random_state=0), make_pipeline(StandardScaler(), GaussianNB())]
    tables, found = [], []
    for model in models:
        model.fit(x[:cut], y[:cut])
        labels = list(model.classes_)
        scores = model.predict_proba(x[cut:])
        scores = scores / scores.sum(axis=1, keepdims=True)
        guess = np.array(labels)[scores.argmax(axis=1)]
        table = pd.DataFrame({"id": order[cut:], "y_true": y[cut:], "y_pred": guess})
        for place, label in enumerate(labels):
            table[f"y_score_{label}"] = scores[:, place]
        if weights is not None:
            table["weight"] = weights[cut:]
        tables.append(table)
        found.append((guess, scores, labels))
    guess, scores, labels = found[0]
    t, w = y[cut:], None if weights is None else weights[cut:]
    said = {"cutoffs": [k], "metrics": multiclass_metrics(t, guess, scores, labels, w, k)}
    if w is None:
        right, other = guess == t, found[1][0] == t
        pairs = [[(right & other).sum(), (right & ~other).sum()], [(~right & other).sum(), (~right & ~other).sum()]]
        said["tests"] = {"accuracy": mcnemar(pairs, exact=True).pvalue}
        said["intervals"] = {"accuracy": wilson(right.sum(), len(t))}
    write(name, "multiclass", tables, said)


def contracts():
    data = read("ibm_telco_churn.csv.gz")
    y = data.Contract.to_numpy(str)
    x = data.drop(columns=["customerID", "Contract", "TotalCharges"])
    x = pd.get_dummies(x).to_numpy(float)
    several("contracts", x, y, None, 2)
    several("contracts-weighted", x, y, np.round(data.MonthlyCharges.to_numpy() / 50, 3), 2)


def boroughs():
    data = read("seaborn_taxis.csv.gz").dropna()
    x = pd.get_dummies(data[["passengers", "distance", "fare", "tip", "tolls", "color", "payment", "pickup_borough"]]).to_numpy(float)
    several("boroughs", x, data.dropoff_borough.to_numpy(str), None, 3)


# Rankings


def query_scores(relevance, score, k, relevant_from=1):
    order = np.argsort(-score, kind="stable")
    hit = relevance[order] >= relevant_from
    relevant = hit.sum()
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    return {
        f"ndcg_{k}": m.ndcg_score([relevance], [score], k=k),
        f"map_{k}": (precision * hit)[:k].sum() / min(relevant, k) if relevant else 0,
        "mrr": 1 / (1 + np.argmax(hit)) if relevant else 0, f"precision_{k}": hit[:k].sum() / k,
        f"recall_{k}": hit[:k].sum() / relevant if relevant else 0, f"hit_{k}": float(hit[:k].any()),
    }


def zones():
    trips = pd.concat([read(f"nyc_yellow_sample/yellow_2019-0{month}.csv.gz") for month in (1, 2, 3, 4)])
    start, end = "pickup_location_id", "dropoff_location_id"
    half = len(trips) // 2
    past = trips[:half].groupby([start, end]).size()
    later = trips[half:].groupby([start, end]).size()
    popular = trips[:half].groupby(end).size()
    ends = popular.nlargest(80).index
    rows = []
    for query in trips[:half].groupby(start).size().nlargest(120).index:
        for document in ends:
            rows.append((query, document, float(later.get((query, document), 0)), float(past.get((query, document), 0)), float(popular[document])))
    table = pd.DataFrame(rows, columns=["group", "end", "y_true", "here", "anywhere"])
    table["id"] = table.group.astype(str) + "-" + table.end.astype(str)
    found = {}
    for k in (5, 10):
        parts = [query_scores(part.y_true.to_numpy(), part.here.to_numpy(), k) for _, part in table.groupby("group")]
        found.update(pd.DataFrame(parts).mean().to_dict())
    tables = [table[["id", "group", "y_true"]].assign(y_pred=table[column]) for column in ("here", "anywhere")]
    write("zones", "ranking", tables, {"cutoffs": [5, 10], "metrics": found})


# Backtests


def diebold_mariano(difference, horizon):
    """Harvey, Leybourne and Newbold 1997, equation by equation."""
    n = len(difference)
    centred = difference - difference.mean()
    variance = sum((1 if lag == 0 else 2) * (centred[lag:] * centred[: n - lag]).sum() / n for lag in range(horizon))
    factor = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return 2 * stats.t.sf(abs(difference.mean() / (variance / n) ** 0.5 * factor**0.5), n - 1)


def bikes():
    data = read("uci_bike_hour.csv.gz")
    target = data.columns[-1]
    y = data[target].to_numpy(float)
    t = y[-3000:]
    naive = y[-3000 - 24 : -24]
    x = np.column_stack([y[168 - lag : len(y) - lag] for lag in (24, 48, 168)])
    model = HistGradientBoostingRegressor(max_iter=50, random_state=0).fit(x[:-3000], y[168:-3000])
    p = model.predict(x[-3000:])
    scale = abs(t[24:] - t[:-24]).mean()
    for horizon in (1, 24):
        tables = [pd.DataFrame({"id": np.arange(3000), "time": np.arange(3000), "y_true": t, "y_pred": values}) for values in (p, naive)]
        said = {
            "seasonality": 24, "horizon": horizon,
            "metrics": {
                "mae": m.mean_absolute_error(t, p), "rmse": m.root_mean_squared_error(t, p), "r2": m.r2_score(t, p),
                "mase": m.mean_absolute_error(t, p) / scale,
            },
            "tests": {
                "mae": diebold_mariano(abs(p - t) - abs(naive - t), horizon),
                "rmse": diebold_mariano((p - t) ** 2 - (naive - t) ** 2, horizon),
            },
        }
        write(f"bikes-{horizon}", "backtest", tables, said)


for case in (deliveries, credit, contracts, boroughs, zones, bikes):
    case()
