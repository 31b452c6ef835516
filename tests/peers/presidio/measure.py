"""What Presidio's pattern recognizers find in messages, and how fast.

    measure.py speed FILE      messages a second, on one core
    measure.py predict FILE    a prediction for each row, on standard output

Recognizers that need a model are left out; words are cut by spaCy's rules alone, so
that context words count.
"""

import json
import logging
import sys
import time

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

LEAST_SECONDS = 1.0


def analyzer():
    """Every predefined recognizer for English that needs no model."""
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": spacy.blank("en")}
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.recognizers = [
        one for one in registry.recognizers if not isinstance(one, SpacyRecognizer)
    ]
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def disjoint(found):
    """Of findings that overlap, the one with the highest score, then the longest."""
    kept = []
    for one in sorted(found, key=lambda one: (-one.score, one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def main():
    """Runs one of the two."""
    what, path = sys.argv[1:]
    logging.disable(logging.WARNING)
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    presidio = analyzer()
    if what == "predict":
        for row in rows:
            found = disjoint(presidio.analyze(row["text"], language="en"))
            spans = [{"start": o.start, "end": o.end, "type": o.entity_type} for o in found]
            print(json.dumps({"id": row["id"], "spans": spans}))
        return
    texts = [row["text"] for row in rows]
    for text in texts:
        presidio.analyze(text, language="en")
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < LEAST_SECONDS:
        for text in texts:
            presidio.analyze(text, language="en")
        done += len(texts)
    print(f"{done / (time.perf_counter() - began):.1f} messages a second")


main()
