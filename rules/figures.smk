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
    "open_question_figure": "open_question",
    "confusion_figure": "language_confusion",
}
if config["dataset"]["source"] == "hub":  # nothing is built, unless asked for by name
    del FIGURES["fig2"]


rule fig2:
    input:
        agreement="<study>/agreement/agreement.csv",
    output:
        multiext("<study>/figures/fig2_kappa", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig2_kappa.png", **in_report("fig2")),
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
        measures=measures("fig3"),
        published="resources/published/table1_asr_refuseu_test.csv",
    output:
        multiext("<study>/figures/fig3_asr_heatmap", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig3_asr_heatmap.png", **in_report("fig3")),
    log:
        "<study>/logs/fig3/fig3.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig3"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig3.py"


rule fig4:
    input:
        measures=measures("fig4"),
    output:
        multiext("<study>/figures/fig4_asr_vs_language_consistency", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig4_asr_vs_language_consistency.png", **in_report("fig4")),
    log:
        "<study>/logs/fig4/fig4.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig4"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig4.py"


rule fig6:
    input:
        comparisons=comparisons("fig6"),
    output:
        multiext("<study>/figures/fig6_fluency_drop_by_run", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig6_fluency_drop_by_run.png", **in_report("fig6")),
    log:
        "<study>/logs/fig6/fig6.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig6"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig6.py"


rule fig7:
    input:
        comparisons=comparisons("fig7"),
    output:
        multiext("<study>/figures/fig7_fluency_drop_by_language", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig7_fluency_drop_by_language.png", **in_report("fig7")),
    log:
        "<study>/logs/fig7/fig7.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig7"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig7.py"


rule fig8:
    input:
        comparisons=comparisons("fig8"),
    output:
        multiext("<study>/figures/fig8_language_consistency_delta", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig8_language_consistency_delta.png", **in_report("fig8")),
    log:
        "<study>/logs/fig8/fig8.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig8"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig8.py"


rule fig10:
    input:
        comparisons=comparisons("fig10"),
    output:
        multiext("<study>/figures/fig10_fluency_drop_by_run", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig10_fluency_drop_by_run.png", **in_report("fig10")),
    log:
        "<study>/logs/fig10/fig10.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig10"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig10.py"


rule fig11:
    input:
        comparisons=comparisons("fig11"),
    output:
        multiext("<study>/figures/fig11_fluency_drop_by_language", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig11_fluency_drop_by_language.png", **in_report("fig11")),
    log:
        "<study>/logs/fig11/fig11.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig11"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig11.py"


rule fig12:
    input:
        measures=measures("fig12"),
    output:
        multiext("<study>/figures/fig12_asr_open_models", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/fig12_asr_open_models.png", **in_report("fig12")),
    log:
        "<study>/logs/fig12/fig12.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("fig12"),
        figures=config["figures"],
    script:
        "../workflow/scripts/fig12.py"


rule training_curves:
    input:
        logs=collect("<study>/align/{model}/log.csv", model=list(study.variants)),
    output:
        multiext("<study>/figures/training_curves", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/training_curves.png", **in_report("training_curves")),
    log:
        "<study>/logs/training_curves/training_curves.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models={m: study.evaluated[m] for m in study.variants},
        figures=config["figures"],
    script:
        "../workflow/scripts/training_curves.py"


rule confusion_figure:
    input:
        confusion="<study>/confusion/confusion.csv",
    output:
        multiext("<study>/figures/language_confusion", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/language_confusion.png", **in_report("confusion_figure")),
    log:
        "<study>/logs/confusion_figure/confusion_figure.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        neighbours=config["language_identification"]["neighbours"],
        figures=config["figures"],
    script:
        "../workflow/scripts/confusion_figure.py"


rule open_question_figure:
    input:
        table="<study>/tables/open_question.csv",
    output:
        multiext("<study>/figures/open_question", pdf=".pdf", csv=".csv"),
        png=report("<study>/figures/open_question.png", **in_report("open_question_figure")),
    log:
        "<study>/logs/open_question_figure/open_question_figure.log",
    conda:
        "../envs/analysis.yaml"
    params:
        figures=config["figures"],
    script:
        "../workflow/scripts/open_question_figure.py"
