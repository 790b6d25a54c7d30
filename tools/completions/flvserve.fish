# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of flvserve for fish.
complete -c flvserve -s c -l config -r -F -d 'Serve what this file describes'
complete -c flvserve -s l -l listen -x -a 'localhost:8080 :8080' -d Address
complete -c flvserve -l loop -d 'Repeat the file'
complete -c flvserve -l check-config -d 'Check the configuration and exit'
complete -c flvserve -l print-config -d 'Print the configuration and exit'
complete -c flvserve -l version -d 'Print the version'
complete -c flvserve -s h -l help -d 'Print the options'
