"""Opens a GeoPackage in QGIS without a display, and says as JSON what QGIS makes of each layer.

Run by the Python that QGIS comes with, not by that of the project: ``python3 qgis_layers.py FILE``.
"""

import json
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProviderRegistry,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

_SIZE = 400


def _colours(layer, box):
    """Colours other than white of a picture of a box in degrees, drawn by QGIS."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    settings.setExtent(box)
    settings.setOutputSize(QSize(_SIZE, _SIZE))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    seen = {picture.pixelColor(x, y).name() for x in range(_SIZE) for y in range(_SIZE)}
    return sorted(seen - {"#ffffff"})


def _described(path, name):
    # As the desktop adds a layer: its default style is loaded once the layer is made.
    options = QgsVectorLayer.LayerOptions()
    options.loadDefaultStyle = False
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr", options)
    if not layer.isValid():
        return {"valid": False}
    layer.loadDefaultStyle()
    told = {
        "valid": True,
        "features": layer.featureCount(),
        "geometry": layer.wkbType().name if hasattr(layer.wkbType(), "name") else int(layer.wkbType()),
        "fields": {
            one.name(): [one.typeName(), one.isDateOrTime(), one.alias(), one.comment()] for one in layer.fields()
        },
    }
    renderer, temporal = layer.renderer(), layer.temporalProperties()
    if renderer is not None:
        rules = renderer.rootRule().children() if renderer.type() == "RuleRenderer" else []
        drawn = set()
        box = QgsRectangle(layer.extent())
        if not box.isEmpty() or layer.featureCount():
            box.grow(1)
            drawn = _colours(layer, box)
            near = next((one.geometry().boundingBox() for one in layer.getFeatures() if one.hasGeometry()), box)
            near.grow(0.05)
            drawn = sorted({*drawn, *_colours(layer, near)})
        told |= {
            "renderer": renderer.type(),
            "rules": [[rule.label(), rule.filterExpression(), rule.symbol() is not None] for rule in rules],
            "faults": [rule.label() for rule in rules if rule.filter() is not None and rule.filter().hasParserError()],
            "colours": list(drawn),
            "temporal": [temporal.isActive(), temporal.startField(), temporal.endField()],
        }
    return told


def main(path):
    """Say of each layer what QGIS reads, draws and takes for its time."""
    application = QgsApplication([], False)
    application.initQgis()
    found = QgsProviderRegistry.instance().querySublayers(path)
    names = dict.fromkeys(one.name() for one in found)
    print(json.dumps({name: _described(path, name) for name in names}))
    sys.stdout.flush()
    # QGIS's own end crashes where no display is.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
