# Of a folder laid by `clir-ot init`: the clir-ot that is installed, the one on the PATH or that of VENV=folder.
# A checkout of clir-ot has another environment.mk, which installs the checkout itself.
ifndef VENV
VENV := $(shell found=$$(command -v clir-ot) && dirname "$$(dirname "$$(readlink -f "$$found")")")
endif

.PHONY: ready pinned

ready:
	@test -x '$(BIN)/clir-ot' || { echo 'make: no clir-ot on the PATH; activate its environment, or say make VENV=folder of it' >&2; exit 1; }

pinned: ready
	'$(BIN)/python' -m pip install --quiet --disable-pip-version-check --constraint constraints.txt clir-ot
