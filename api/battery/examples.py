"""Example queries about storage, transport and arrival tests."""

from __future__ import annotations

from typing import Final

from ..web.examples import Example

EXAMPLES: Final = (
    Example(
        "Mean state of charge per storage",
        """SELECT ?storage (COUNT(?module) AS ?modules) (AVG(?soc) AS ?meanSoc) WHERE {
  ?module $Module_storageStays ?stay ;
          $Module_stateOfCharge ?soc .
  ?stay $StorageStay_storage ?place .
  ?place vt:key ?storage .
} GROUP BY ?storage ORDER BY ?storage""",
    ),
    Example(
        "Modules colder than 6 °C in transport",
        """SELECT ?key ?truckKey ?lowest WHERE {
  ?module $Module_transport ?trip ; vt:key ?key .
  ?trip $Transport_truck ?truck ; $Transport_begin ?begin ; $Transport_end ?end .
  ?truck $Truck_logger ?logger ; vt:key ?truckKey .
  ?logger $DataLogger_temperature ?series .
  BIND(vtf:min(?series, ?begin, ?end) AS ?lowest)
  FILTER(?lowest < 6)
} ORDER BY ?lowest ?key""",
    ),
    Example(
        "Who was not accepted, and why",
        """SELECT ?key ?decision ?reason WHERE {
  ?module $Module_arrivalTest ?test ; vt:key ?key .
  ?test $ArrivalTest_decision ?choice .
  ?choice rdfs:label ?decision . FILTER(?decision != "ACCEPT")
  OPTIONAL { ?test $ArrivalTest_reasons ?reason }
} ORDER BY ?decision ?key ?reason""",
    ),
)
