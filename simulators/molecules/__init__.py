"""The lab of molecules: conformers relaxed by GFN2-xTB, and a density functional at the geometry that is kept.

What calculates, and the beds of molecules that are measured by it. Packages of the extras `molecules` and `dft` are
imported where they are used. Imports `protocols` and the evaluator's protocol; knows no service.
"""
