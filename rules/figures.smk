# One rule per figure, named as its target.

# Target → file name of each figure.
FIGURES = {
    "fig2": "fig2_kappa",
    "fig3": "fig3_asr_heatmap",
    "fig4": "fig4_asr_vs_language_consistency",
    "fig6": "fig6_fluency_drop_by_run",
    "fig7": "fig7_fluency_drop_by_language",
    "fig8": "fig8_language_consistency_delta",
    "fig10": "fig10_fluency_drop_by_run",
    "fig11": "fig11_fluency_drop_by_language",
    "fig12": "fig12_asr_open_models",
    "training_curves": "training_curves",
}
if config["dataset"]["source"] == "hub":  # nothing is built, unless asked for by name
    del FIGURES["fig2"]


rule fig2:
    input:
        agreement="<study>/agreement/agreement.csv",
    output:
        report(
            multiext("<study>/figures/fig2_kappa", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig2.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig2/fig2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        figures=config["figures"],
    script:
        "../workflow/scripts/fig2.py"


rule fig3:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig3_asr_heatmap", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig3.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig3/fig3.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig3.py"


rule fig4:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig4_asr_vs_language_consistency", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig4.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig4/fig4.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig4.py"


rule fig6:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig6_fluency_drop_by_run", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig6.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig6/fig6.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=0,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig6.py"


rule fig7:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig7_fluency_drop_by_language", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig7.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig7/fig7.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=0,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig7.py"


rule fig8:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig8_language_consistency_delta", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig8.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig8/fig8.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig8.py"


rule fig10:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig10_fluency_drop_by_run", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig10.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig10/fig10.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=1,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig10.py"


rule fig11:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig11_fluency_drop_by_language", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig11.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig11/fig11.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=1,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig11.py"


rule fig12:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig12_asr_open_models", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig12.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig12/fig12.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig12.py"


rule training_curves:
    input:
        logs=collect("<study>/align/{model}/log.csv", model=list(study.variants)),
    output:
        report(
            multiext("<study>/figures/training_curves", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/training_curves.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/training_curves/training_curves.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/training_curves.py"
