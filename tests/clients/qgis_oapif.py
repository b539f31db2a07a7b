"""Opens collections of a server in QGIS without a display, and says as JSON what QGIS makes of each.

Run by the Python that QGIS comes with, not by that of the project: ``python3 qgis_oapif.py BASE COLLECTION ...``.
"""

import json
import os
import sys
import tempfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication, QgsVectorLayer  # type: ignore[import-not-found]


def _described(base, name):
    uri = f"pagingEnabled='true' pageSize='1000' typename='{name}' url='{base}' version='OGC_API_FEATURES'"
    layer = QgsVectorLayer(uri, name, "OAPIF")
    return {
        "valid": layer.isValid(),
        "capabilities": layer.dataProvider().capabilitiesString(),
        "types": {one.name(): one.typeName() for one in layer.fields()},
        "when": {str(one["id"]): str(one["when"]) for one in layer.getFeatures()},
    }


application = QgsApplication([], False, tempfile.mkdtemp())
application.initQgis()
print(json.dumps({name: _described(sys.argv[1], name) for name in sys.argv[2:]}))
sys.stdout.flush()
# QGIS may crash while it takes itself apart.
os._exit(0)
