{{/* Durations as Onward writes them: 250ms, 30s, 5m, 2h, 3d. */}}

{{- define "onward.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul (trimSuffix $unit . | int64) (get $units $unit) -}}
{{- end -}}

{{/* Rounded up. */}}
{{- define "onward.seconds" -}}
{{- div (add (include "onward.milliseconds" . | int64) 999) 1000 -}}
{{- end -}}

{{/* How long a forwarder may take to end: the drain, then its last commit and leaving the group. */}}
{{- define "onward.forwarderGrace" -}}
{{- $drain := include "onward.seconds" .Values.forwarder.drainTimeout | int64 -}}
{{- $given := .Values.forwarder.terminationGracePeriodSeconds | int64 -}}
{{- if eq $given 0 -}}{{ add $drain 40 }}{{- else -}}{{ $given }}{{- end -}}
{{- end -}}
